// The distribution over latents that the encoder gives. Reference: diffusers DiagonalGaussianDistribution.
#pragma once

#include <ATen/core/Tensor.h>

namespace fjord::models {

class DiagonalGaussian {
 public:
  // moments: [batch, 2 * channels, height, width], means and then log variances (clamped to -30..20).
  explicit DiagonalGaussian(const at::Tensor& moments);
  // All the weight on `mean`, as an encoder that gives latents themselves.
  static DiagonalGaussian without_spread(const at::Tensor& mean);

  const at::Tensor& mode() const { return mean_; }
  // False: sample() gives the mode, and the reference draws no noise for it.
  bool has_spread() const { return standard_deviation_.defined(); }
  // noise: standard normal, of the shape of mode(); not looked at without a spread.
  at::Tensor sample(const at::Tensor& noise) const;

 private:
  DiagonalGaussian() = default;

  at::Tensor mean_;
  at::Tensor standard_deviation_;
};

}  // namespace fjord::models
