// 3x3 convolutions by our Winograd kernel (src/kernels/cpu/winograd.cpp).
#pragma once

#include "kernels/cpu/kernels.h"
#include "ops/stored_weight.h"

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <optional>

namespace fjord::ops {

using ImageSize = std::array<std::int64_t, 2>;  // height, width

// What may happen on the way of a convolution.
struct ConvExtras {
  std::optional<ImageSize> enlarge_to = {};  // first enlarge by nearest neighbour, as at::upsample_nearest2d does
  at::Tensor image_bias = {};                // [batch, out], float32: added besides the bias
  at::Tensor residual = {};                  // added to the result, shaped as it is
};

// Whether the kernel serves a 3x3 convolution of so many channels, stride 1, padding 1.
bool winograd_pays(std::int64_t in_channels, std::int64_t out_channels);

// A weight in the kernel's layout.
struct PackedWinograd {
  at::Tensor data;
  at::Tensor scale;  // float32 [out] where the data are int8, else undefined
  kernels::WeightKind kind = kernels::WeightKind::kPlain;
};

// weight [out, in, 3, 3] for inputs of `dtype`, float32 or bfloat16. int8 weights are not multiplied as such.
PackedWinograd pack_winograd(const StoredWeight& weight, at::ScalarType dtype, const kernels::CpuKernels& kernels);

// Beyond the border lie zeros, or what the active WrapScope says.
// x [batch, in, height, width], channels last in memory or copied so -> [batch, out, height', width'], channels last.
// bias: float32 [out].
at::Tensor winograd(const at::Tensor& x, const PackedWinograd& weight, const at::Tensor& bias, const ConvExtras& extras,
                    const kernels::CpuKernels& kernels);

}  // namespace fjord::ops
