// Halving and doubling of feature maps. Reference: diffusers Downsample2D, Upsample2D (both with convolution).
#pragma once

#include "nn/layers.h"

#include <array>
#include <optional>

namespace fjord::models {

class Downsample2D : public nn::Module {
 public:
  // padding 1: on all sides, as in the U-Net; 0: one row and column at the bottom right, as in the VAE encoder.
  Downsample2D(const nn::Place& place, std::int64_t channels, std::int64_t padding);
  at::Tensor forward(const at::Tensor& x) const;

  nn::Conv2d conv;

 private:
  std::int64_t padding_;
};

using ops::ImageSize;

class Upsample2D : public nn::Module {
 public:
  Upsample2D(const nn::Place& place, std::int64_t channels);
  // Nearest-neighbour interpolation to `size`, or to twice the size, then a 3x3 convolution.
  at::Tensor forward(const at::Tensor& x, const std::optional<ImageSize>& size = {}) const;

  nn::Conv2d conv;
};

}  // namespace fjord::models
