// How much the pixels listened to each token of the text, added up over layers and evaluations.
// DAAM, "What the DAAM: Interpreting Stable Diffusion Using Cross Attention", Tang et al. 2022, arXiv:2210.04885.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace fjord::models {

class TextMaps {
 public:
  // Maps of height x width, the size of the latents.
  TextMaps(std::int64_t height, std::int64_t width) : height_(height), width_(width) {}

  // weights: [images, tokens, height, width] of a layer, at its own size; brought to the maps' by bicubic
  // interpolation, without what undershoots 0.
  void add(const at::Tensor& weights);
  // The mean of all: float32 [images, tokens, height, width]; undefined where nothing was added.
  at::Tensor mean() const;

 private:
  std::int64_t height_;
  std::int64_t width_;
  at::Tensor sum_;
  std::int64_t count_ = 0;
};

}  // namespace fjord::models
