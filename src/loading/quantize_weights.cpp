#include "loading/quantize_weights.h"

#include "config/int4.h"
#include "core/check.h"

#include <fjord/quantize.h>

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones_like.h>

#include <algorithm>
#include <array>
#include <utility>

namespace fjord::loading {
namespace {

constexpr float kTop = 127;                                          // int8
constexpr double kLeast4 = -8, kMost4 = 7;                           // int4
constexpr std::array kParts4{1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7};  // of the greatest factor, to be tried

bool contains_any(const std::string& name, const std::vector<std::string>& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const auto& part) { return name.find(part) != std::string::npos; });
}

// Of the names that begin with `list`, such as "up_blocks.", that with the greatest number behind it: "up_blocks.3.".
// Empty if there is none.
std::string last_of(const std::string& list, const std::vector<std::string>& names) {
  int last = -1;
  for (const auto& name : names) {
    if (name.starts_with(list)) last = std::max(last, std::atoi(name.c_str() + list.size()));
  }
  return last < 0 ? "" : list + std::to_string(last) + ".";
}

bool is_quantizable(const std::string& name, const TensorEntry& entry) {
  return name.ends_with(".weight") && entry.shape.size() >= 2 && entry.type && at::isFloatingType(*entry.type);
}

at::Tensor read(const Checkpoint& checkpoint, const std::string& name, at::ScalarType dtype) {
  auto tensor = at::empty(checkpoint.find(name)->shape, dtype);
  checkpoint.read_into(name, tensor);
  return tensor;
}

// A tensor and its factors.
struct Rounded {
  at::Tensor values, factors;
};

Rounded to_int8(const at::Tensor& weight) {
  const auto rows = weight.flatten(1);
  const auto factors = rows.abs().amax(1) / kTop;
  const auto divisor = factors.where(factors > 0, at::ones_like(factors));
  return {(rows / divisor.unsqueeze(1)).round_().to(at::kChar).view(weight.sizes()), factors};
}

// numbers [.., group], factors [.., 1] -> whole numbers -8 to 7 that stand for them.
at::Tensor whole_numbers(const at::Tensor& numbers, const at::Tensor& factors) {
  return (numbers / factors.where(factors != 0, at::ones_like(factors))).round_().clamp_(kLeast4, kMost4);
}

// The factor of every group, bfloat16 numbers in float32: those that bring the number of largest magnitude to -8, and
// some smaller ones that clip it; the one that leaves the least sum of squared errors.
at::Tensor best_factors(const at::Tensor& groups) {
  const auto largest = groups.gather(-1, groups.abs().argmax(-1, true));
  at::Tensor best, least;
  for (const double part : kParts4) {
    const auto factors = (largest * (part / kLeast4)).to(at::kBFloat16).to(at::kFloat);
    const auto error = (whole_numbers(groups, factors) * factors - groups).square_().sum(-1, true);
    const auto better = best.defined() ? error < least : at::ones_like(error, at::kBool);
    best = best.defined() ? factors.where(better, best) : factors;
    least = least.defined() ? error.where(better, least) : error;
  }
  return best;
}

Rounded to_int4(const at::Tensor& weight) {
  const auto rows = weight.flatten(1);
  const auto length = rows.size(1), count = config::int4_groups(length);
  const auto padded = at::constant_pad_nd(rows, {0, count * config::kInt4Group - length}, 0);
  const auto groups = padded.view({rows.size(0), count, config::kInt4Group});
  const auto factors = best_factors(groups);
  const auto shifted = (whole_numbers(groups, factors) - kLeast4).to(at::kByte).view({rows.size(0), -1, 2});
  const auto bytes = shifted.select(2, 0) + shifted.select(2, 1) * 16;
  return {bytes.slice(1, 0, (length + 1) / 2).contiguous(), factors.squeeze(-1).to(at::kBFloat16)};
}

void add_quantized(const std::string& name, const at::Tensor& weight, int bits, QuantizedWeights& out) {
  check(weight.isfinite().all().item<bool>(), ErrorCode::kBadFile, "tensor ", fjord::quoted(name),
        ": NaN or infinity cannot become int", bits);
  auto [values, factors] = bits == 4 ? to_int4(weight) : to_int8(weight);
  out.tensors[name] = std::move(values);
  out.tensors[name + "_scale"] = std::move(factors);
  ++out.quantized;
}

}  // namespace

std::vector<std::string> parts_to_keep(const std::vector<std::string>& names) {
  std::vector<std::string> parts(kQuantizeKeeps.begin(), kQuantizeKeeps.end());
  if (const auto last = last_of(last_of("up_blocks.", names) + "resnets.", names); !last.empty()) parts.push_back(last);
  return parts;
}

QuantizedWeights quantize_weights(const Checkpoint& checkpoint, const WeightBits& bits,
                                  const std::function<void(int done, int total)>& progress) {
  QuantizedWeights out;
  const auto names = checkpoint.names();
  int done = 0;
  for (const auto& name : names) {
    const auto& entry = *checkpoint.find(name);
    check(entry.type.has_value(), ErrorCode::kUnsupported, "tensor ", fjord::quoted(name), ": dtype ", entry.dtype,
          " cannot be used");
    const bool quantized = entry.type == at::kChar || entry.type == at::kByte;
    check(!quantized, ErrorCode::kUnsupported, "the weights are quantized already: ", fjord::quoted(name), " is ",
          entry.dtype);
    if (is_quantizable(name, entry) && !contains_any(name, bits.keep)) {
      add_quantized(name, read(checkpoint, name, at::kFloat), bits.bits, out);
    } else {
      out.tensors[name] = read(checkpoint, name, *entry.type);
      ++out.kept;
    }
    progress(++done, static_cast<int>(names.size()));
  }
  return out;
}

}  // namespace fjord::loading
