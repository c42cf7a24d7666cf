#include "models/vae/diagonal_gaussian.h"

#include <ATen/ops/clamp.h>

namespace fjord::models {

DiagonalGaussian::DiagonalGaussian(const at::Tensor& moments) {
  const auto halves = moments.chunk(2, 1);
  mean_ = halves[0];
  standard_deviation_ = (0.5 * at::clamp(halves[1], -30.0, 20.0)).exp();
}

DiagonalGaussian DiagonalGaussian::without_spread(const at::Tensor& mean) {
  DiagonalGaussian out;
  out.mean_ = mean;
  return out;
}

at::Tensor DiagonalGaussian::sample(const at::Tensor& noise) const {
  return has_spread() ? mean_ + standard_deviation_ * noise : mean_;
}

}  // namespace fjord::models
