// The oneDNN operators that LibTorch registers for packed weights. Where this LibTorch has none, or the processor
// cannot run the dtype, packing gives an undefined tensor and the caller stays with the plain operator.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace fjord::ops {

struct ConvShape {
  std::int64_t stride = 1;
  std::int64_t padding = 0;
};

// weight [out, in, kernel, kernel] -> the same in oneDNN's layout.
at::Tensor pack_convolution(const at::Tensor& weight, const ConvShape& shape);

// x [batch, in, height, width], channels last in memory, as is the result.
at::Tensor packed_convolution(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& bias,
                              const ConvShape& shape);

}  // namespace fjord::ops
