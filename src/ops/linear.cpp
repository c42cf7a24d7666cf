#include "ops/linear.h"

#include "core/memory_pool.h"
#include "ops/cpu_tensors.h"

namespace fjord::ops {
namespace {

kernels::LinearProblem shape_of(const PackedLinear& weight, at::ScalarType dtype) {
  kernels::LinearProblem problem;
  problem.element = element_of(dtype);
  problem.in_features = weight.in_features;
  problem.out_features = weight.out_features;
  problem.gated = weight.gated;
  return problem;
}

}  // namespace

PackedLinear pack_linear(const at::Tensor& weight, bool gated, const kernels::CpuKernels& kernels) {
  if (!fits_kernels(weight) || (weight.scalar_type() == at::kBFloat16 && weight.size(1) % 2 != 0)) return {};
  const auto plain = weight.contiguous();
  PackedLinear packed{{}, plain.size(1), gated ? plain.size(0) / 2 : plain.size(0), gated};
  const auto problem = shape_of(packed, plain.scalar_type());
  packed.data = pooled_empty({kernels.pack_linear_bytes(problem)}, at::kByte);
  kernels.pack_linear(problem, plain.const_data_ptr(), packed.data.mutable_data_ptr());
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
  problem.bias = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  const auto residual = extras.residual.defined() ? extras.residual.contiguous() : at::Tensor();
  problem.residual = residual.defined() ? residual.const_data_ptr() : nullptr;
  problem.residual_stride = weight.out_features;
  problem.out = out.mutable_data_ptr();
  problem.rows = x.numel() / weight.in_features;
  problem.activation = extras.activation;
  const Scratch scratch(kernels.linear_scratch(problem));
  parallel_for_each(kernels.linear_items(problem),
                    [&](std::int64_t item, int worker) { kernels.linear(problem, item, scratch.of(worker)); });
  return out;
}

}  // namespace fjord::ops
