// Linear layers by our CPU kernels.
#pragma once

#include "kernels/cpu/kernels.h"
#include "ops/stored_weight.h"

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace fjord::ops {

// A weight in the kernels' layout.
struct PackedLinear {
  at::Tensor data;
  at::Tensor scale;  // float32, a factor for every row of int8 numbers, else undefined
  kernels::WeightKind kind = kernels::WeightKind::kPlain;
  std::int64_t in_features = 0;
  std::int64_t out_features = 0;  // of the layer: half the weight's rows if gated
  bool gated = false;

  bool defined() const { return data.defined(); }
};

// What may happen to a linear layer's result: activation, then gate, then sum.
struct LinearExtras {
  at::Tensor residual = {};  // added to the result, shaped as it is
  kernels::Activation activation = kernels::Activation::kNone;
};

// weight [out, in], twice as many rows if gated, for inputs of `dtype`. Undefined where the kernels cannot take the
// weight (another dtype or device, an odd number of bfloat16 inputs).
PackedLinear pack_linear(const StoredWeight& weight, bool gated, at::ScalarType dtype,
                         const kernels::CpuKernels& kernels);

// x [..., in] -> [..., out]. bias: float32 or undefined.
at::Tensor linear(const at::Tensor& x, const PackedLinear& weight, const at::Tensor& bias, const LinearExtras& extras,
                  const kernels::CpuKernels& kernels);

// x [..., in] -> [..., 2 * out] of a gated layer: x W^T + b as it is before the gate.
at::Tensor linear_before_gate(const at::Tensor& x, const PackedLinear& weight, const at::Tensor& bias,
                              const kernels::CpuKernels& kernels);

}  // namespace fjord::ops
