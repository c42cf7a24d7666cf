#include "loading/quantize_weights.h"

#include "core/check.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones_like.h>

#include <algorithm>

namespace fjord::loading {
namespace {

constexpr float kTop = 127;
constexpr char kUpBlocks[] = "up_blocks.";

bool contains_any(const std::string& name, const std::vector<std::string>& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const auto& part) { return name.find(part) != std::string::npos; });
}

// "up_blocks.3." of the names of a U-Net with four; empty if there is none.
std::string last_up_block(const std::vector<std::string>& names) {
  int last = -1;
  for (const auto& name : names) {
    if (name.starts_with(kUpBlocks)) last = std::max(last, std::atoi(name.c_str() + sizeof kUpBlocks - 1));
  }
  return last < 0 ? "" : kUpBlocks + std::to_string(last) + ".";
}

bool is_quantizable(const std::string& name, const TensorEntry& entry) {
  return name.ends_with(".weight") && entry.shape.size() >= 2 && entry.type && at::isFloatingType(*entry.type);
}

at::Tensor read(const Checkpoint& checkpoint, const std::string& name, at::ScalarType dtype) {
  auto tensor = at::empty(checkpoint.find(name)->shape, dtype);
  checkpoint.read_into(name, tensor);
  return tensor;
}

void add_quantized(const std::string& name, const at::Tensor& weight, QuantizedWeights& out) {
  check(weight.isfinite().all().item<bool>(), ErrorCode::kBadFile, "tensor ", fjord::quoted(name),
        ": NaN or infinity cannot become int8");
  const auto rows = weight.flatten(1);
  const auto factors = rows.abs().amax(1) / kTop;
  const auto divisor = factors.where(factors > 0, at::ones_like(factors));
  out.tensors[name] = (rows / divisor.unsqueeze(1)).round_().to(at::kChar).view(weight.sizes());
  out.tensors[name + "_scale"] = factors;
  ++out.quantized;
}

}  // namespace

std::vector<std::string> parts_to_keep(const std::vector<std::string>& names) {
  std::vector<std::string> parts{"conv_in",         "conv_out",      "time_embedding", "add_embedding",
                                 "class_embedding", "time_emb_proj", "conv_shortcut"};
  if (const auto last = last_up_block(names); !last.empty()) parts.push_back(last);
  return parts;
}

QuantizedWeights quantize_weights(const Checkpoint& checkpoint, const std::vector<std::string>& keep,
                                  const std::function<void(int done, int total)>& progress) {
  QuantizedWeights out;
  const auto names = checkpoint.names();
  int done = 0;
  for (const auto& name : names) {
    const auto& entry = *checkpoint.find(name);
    check(entry.type.has_value(), ErrorCode::kUnsupported, "tensor ", fjord::quoted(name), ": dtype ", entry.dtype,
          " cannot be used");
    check(*entry.type != at::kChar, ErrorCode::kUnsupported, "the weights are int8 already: ", fjord::quoted(name));
    if (is_quantizable(name, entry) && !contains_any(name, keep)) {
      add_quantized(name, read(checkpoint, name, at::kFloat), out);
    } else {
      out.tensors[name] = read(checkpoint, name, *entry.type);
      ++out.kept;
    }
    progress(++done, static_cast<int>(names.size()));
  }
  return out;
}

}  // namespace fjord::loading
