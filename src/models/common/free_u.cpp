// The frequencies -1 and 0 of both directions are the low ones: the square of two around the middle of the shifted
// spectrum that the reference takes.
#include "models/common/free_u.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/fft_fft2.h>
#include <ATen/ops/fft_ifft2.h>
#include <ATen/ops/real.h>
#include <ATen/ops/zeros.h>

namespace fjord::models {
namespace {

// 1 at the low frequencies -1 and 0, else 0: float32 [size].
at::Tensor low_frequencies(std::int64_t size, const at::Device& device) {
  auto low = at::zeros({size}, at::TensorOptions().dtype(at::kFloat).device(device));
  low.narrow(0, 0, 1).fill_(1.0);
  low.narrow(0, size - 1, 1).fill_(1.0);
  return low;
}

}  // namespace

at::Tensor FreeUFactors::backbone(const at::Tensor& hidden, size_t step) const {
  const double factor = step == 0 ? b1 : b2;
  if (step > 1 || factor == 1) return hidden;
  const auto half = hidden.size(1) / 2;
  return at::cat({hidden.narrow(1, 0, half) * factor, hidden.narrow(1, half, hidden.size(1) - half)}, 1);
}

at::Tensor FreeUFactors::skip(const at::Tensor& skip, size_t step) const {
  const double factor = step == 0 ? s1 : s2;
  if (step > 1 || factor == 1) return skip;
  const auto device = skip.device();
  const auto low = low_frequencies(skip.size(2), device).unsqueeze(1) * low_frequencies(skip.size(3), device);
  const auto mask = low * (factor - 1) + 1;
  const auto spectrum = at::fft_fft2(skip.to(at::kFloat).contiguous());
  return at::real(at::fft_ifft2(spectrum * mask)).to(skip.scalar_type()).contiguous();
}

}  // namespace fjord::models
