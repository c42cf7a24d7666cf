// Linear layers by our CPU kernels.
#pragma once

#include "kernels/cpu/kernels.h"

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace fjord::ops {

// A layer's weight as it is in a file.
struct LinearWeight {
  at::Tensor values;          // [out, in], twice as many rows if gated; of the layer's dtype, or int8
  at::Tensor scale = {};      // float32, a factor for every row of int8 values
  bool round_inputs = false;  // with int8 values: round the inputs to 8 bits too and multiply whole numbers
  bool gated = false;
};

// The same in the kernels' layout.
struct PackedLinear {
  at::Tensor data;
  at::Tensor scale;
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

// For inputs of `dtype`. Undefined where the kernels cannot take the weight (another dtype or device, an odd number of
// bfloat16 inputs).
PackedLinear pack_linear(const LinearWeight& weight, at::ScalarType dtype, const kernels::CpuKernels& kernels);

// x [..., in] -> [..., out]. bias: float32 or undefined.
at::Tensor linear(const at::Tensor& x, const PackedLinear& weight, const at::Tensor& bias, const LinearExtras& extras,
                  const kernels::CpuKernels& kernels);

// x [..., in] -> [..., 2 * out] of a gated layer: x W^T + b as it is before the gate.
at::Tensor linear_before_gate(const at::Tensor& x, const PackedLinear& weight, const at::Tensor& bias,
                              const kernels::CpuKernels& kernels);

}  // namespace fjord::ops
