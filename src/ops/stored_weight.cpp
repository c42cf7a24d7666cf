#include "ops/stored_weight.h"

#include "config/int4.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/stack.h>

namespace fjord::ops {
namespace {

using kernels::WeightKind;

constexpr std::int64_t kZero = 8;  // what stands for 0 in int4

// uint8 [rows, bytes] -> float32 [rows, 2 * bytes]
at::Tensor halves_of_bytes(const at::Tensor& bytes) {
  const auto high = bytes.div(16, "floor");
  return at::stack({bytes - high * 16, high}, 2).flatten(1).to(at::kFloat) - kZero;
}

}  // namespace

at::Tensor plain_numbers(const StoredWeight& weight) {
  const auto factors = weight.factors.to(weight.values.device(), at::kFloat);
  if (weight.kind != WeightKind::kInt4) return weight.values.flatten(1).to(at::kFloat) * factors.unsqueeze(1);
  const auto numbers = halves_of_bytes(weight.values).slice(1, 0, weight.row_length);
  return numbers * factors.repeat_interleave(config::kInt4Group, 1).slice(1, 0, weight.row_length);
}

WeightMemory memory_of(const StoredWeight& weight) {
  auto rows = weight.values.flatten(1);
  const auto missing = (4 - rows.size(1) % 4) % 4;
  const bool whole = weight.kind == WeightKind::kInt4 || rows.scalar_type() == at::kFloat;
  if (!whole && missing != 0) rows = at::constant_pad_nd(rows, {0, missing}, 0);
  WeightMemory out{rows.contiguous(), {}};
  out.rows.values = out.values.const_data_ptr();
  if (weight.kind == WeightKind::kInt4) {
    out.rows.group_scale = reinterpret_cast<const std::uint16_t*>(weight.factors.const_data_ptr());
  }
  return out;
}

}  // namespace fjord::ops
