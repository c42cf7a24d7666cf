// Normalisation by our CPU kernels; weights and biases are float32.
#pragma once

#include "kernels/cpu/kernels.h"

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace fjord::ops {

struct GroupNormOptions {
  std::int64_t groups = 32;
  double eps = 1e-5;
  bool silu = false;      // SiLU of the result
  bool in_place = false;  // the result takes the memory of x
};

// x [batch, channels, ...], channels last in memory or copied so; the result likewise. The sums are taken in a fixed
// order, whatever the number of threads.
at::Tensor group_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      const GroupNormOptions& options, const kernels::CpuKernels& kernels);

// Over the last dimension.
at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps,
                      const kernels::CpuKernels& kernels);

}  // namespace fjord::ops
