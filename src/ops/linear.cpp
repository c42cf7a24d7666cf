#include "ops/linear.h"

#include "core/memory_pool.h"
#include "ops/cpu_tensors.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

namespace fjord::ops {
namespace {

using kernels::WeightKind;

constexpr std::int64_t kRowsOfItem = 64;  // that are rounded by one thread at once

kernels::LinearProblem shape_of(const PackedLinear& weight, at::ScalarType dtype) {
  kernels::LinearProblem problem;
  problem.element = element_of(dtype);
  problem.kind = weight.kind;
  problem.in_features = weight.in_features;
  problem.out_features = weight.out_features;
  problem.gated = weight.gated;
  return problem;
}

bool fits(const StoredWeight& weight, at::ScalarType dtype) {
  if (!weight.values.is_cpu() || (dtype != at::kFloat && dtype != at::kBFloat16)) return false;
  if (weight.kind == WeightKind::kPlain && weight.values.scalar_type() != dtype) return false;
  return weight.kind == WeightKind::kInt8Product || dtype == at::kFloat || weight.row_length % 2 == 0;
}

// The rows of x as bytes, and a factor for each.
struct RoundedRows {
  at::Tensor bytes, scale;
};

RoundedRows round_rows(const kernels::LinearProblem& problem, const kernels::CpuKernels& kernels) {
  const auto row = kernels.quantized_row_bytes(problem);
  RoundedRows out{pooled_empty({problem.rows, row}, at::kByte), pooled_empty({problem.rows}, at::kFloat)};
  auto* const bytes = out.bytes.mutable_data_ptr();
  auto* const scale = out.scale.mutable_data_ptr<float>();
  for_blocks(problem.rows, kRowsOfItem, static_cast<double>(problem.rows * row),
             [&](auto begin, auto end) { kernels.quantize_rows(problem, begin, end, bytes, scale); });
  return out;
}

// Outputs of a panel of packed weights, by what one with one input takes.
std::int64_t panel_columns(const kernels::CpuKernels& kernels) {
  kernels::LinearProblem problem;
  problem.in_features = problem.out_features = 1;
  return kernels.pack_linear_bytes(problem) / static_cast<std::int64_t>(sizeof(float));
}

}  // namespace

PackedLinear pack_linear(const StoredWeight& weight, bool gated, at::ScalarType dtype,
                         const kernels::CpuKernels& kernels) {
  if (!fits(weight, dtype)) return {};
  const auto out = weight.values.size(0) / (gated ? 2 : 1);
  const auto scale = weight.kind == WeightKind::kInt4 ? at::Tensor() : weight.factors;
  PackedLinear packed{{}, scale, weight.kind, weight.row_length, out, gated};
  const auto problem = shape_of(packed, dtype);
  packed.data = pooled_empty({kernels.pack_linear_bytes(problem)}, at::kByte);
  const auto memory = memory_of(weight);
  kernels.pack_linear(problem, memory.rows, packed.data.mutable_data_ptr());
  return packed;
}

at::Tensor linear(const at::Tensor& x_in, const PackedLinear& weight, const at::Tensor& bias,
                  const LinearExtras& extras, const kernels::CpuKernels& kernels) {
  const auto x = x_in.contiguous();
  auto sizes = x.sizes().vec();
  sizes.back() = weight.out_features;
  auto out = pooled_empty(sizes, x.scalar_type());
  auto problem = shape_of(weight, x.scalar_type());
  problem.x = x.const_data_ptr();
  problem.weight = weight.data.const_data_ptr();
  problem.weight_scale = weight.scale.defined() ? weight.scale.const_data_ptr<float>() : nullptr;
  problem.bias = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  const auto residual = extras.residual.defined() ? extras.residual.contiguous() : at::Tensor();
  problem.residual = residual.defined() ? residual.const_data_ptr() : nullptr;
  problem.out = out.mutable_data_ptr();
  problem.rows = x.numel() / weight.in_features;
  problem.activation = extras.activation;
  RoundedRows rounded;
  if (weight.kind == WeightKind::kInt8Product) {
    rounded = round_rows(problem, kernels);
    problem.x = rounded.bytes.const_data_ptr();
    problem.row_scale = rounded.scale.const_data_ptr<float>();
  }
  const Scratch scratch(kernels.linear_scratch(problem));
  const auto operations = 2.0 * static_cast<double>(problem.rows * weight.in_features * weight.out_features);
  parallel_for_each(kernels.linear_items(problem), operations,
                    [&](std::int64_t item, int worker) { kernels.linear(problem, item, scratch.of(worker)); });
  return out;
}

// A gated panel has as many outputs as an ungated one, values in its first half and their gates in the second: without
// the gate its columns come out in that order, panel after panel.
at::Tensor linear_before_gate(const at::Tensor& x, const PackedLinear& weight, const at::Tensor& bias,
                              const kernels::CpuKernels& kernels) {
  const auto half = panel_columns(kernels) / 2, out = weight.out_features, panels = (out + half - 1) / half;
  const auto column = at::arange(panels * half).view({panels, 1, half}).clamp_max(out - 1);
  const auto row = at::cat({column, column + out}, 1).flatten();
  auto ungated = weight;
  ungated.gated = false;
  ungated.out_features = row.numel();
  if (weight.scale.defined()) ungated.scale = weight.scale.index_select(0, row);
  const auto y = linear(x, ungated, bias.index_select(0, row), {}, kernels).unflatten(-1, {panels, 2, half});
  const auto halves = y.transpose(-3, -2).flatten(-2).narrow(-1, 0, out);
  return halves.flatten(-2);
}

}  // namespace fjord::ops
