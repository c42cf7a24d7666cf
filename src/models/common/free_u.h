// FreeU, "FreeU: Free Lunch in Diffusion U-Net", Si, Huang, Jiang, Liu 2023, arXiv:2309.11497.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>

namespace fjord::models {

struct FreeUFactors {
  double s1 = 1, s2 = 1;  // of the low frequencies of the skip connections, at the deepest level and the next
  double b1 = 1, b2 = 1;  // of the first half of the backbone's channels, likewise

  // What a layer of the way up takes from below, and from a skip connection; `step` counts the levels from the deepest.
  // Both: [batch, channels, height, width]. Reference: diffusers' apply_freeu.
  at::Tensor backbone(const at::Tensor& hidden, size_t step) const;
  at::Tensor skip(const at::Tensor& skip, size_t step) const;
};

}  // namespace fjord::models
