#include "models/vae/diagonal_gaussian.h"

#include <ATen/ops/clamp.h>

namespace fjord::models {

DiagonalGaussian::DiagonalGaussian(const at::Tensor& moments) {
  const auto halves = moments.chunk(2, 1);
  mean_ = halves[0];
  standard_deviation_ = (0.5 * at::clamp(halves[1], -30.0, 20.0)).exp();
}

at::Tensor DiagonalGaussian::sample(const at::Tensor& noise) const { return mean_ + standard_deviation_ * noise; }

}  // namespace fjord::models
