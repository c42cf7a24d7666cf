// The distribution over latents that the encoder gives. Reference: diffusers DiagonalGaussianDistribution.
#pragma once

#include <ATen/core/Tensor.h>

namespace fjord::models {

class DiagonalGaussian {
 public:
  // moments: [batch, 2 * channels, height, width], means and then log variances (clamped to -30..20).
  explicit DiagonalGaussian(const at::Tensor& moments);

  const at::Tensor& mode() const { return mean_; }
  // noise: standard normal, of the shape of mode().
  at::Tensor sample(const at::Tensor& noise) const;

 private:
  at::Tensor mean_;
  at::Tensor standard_deviation_;
};

}  // namespace fjord::models
