#include "pipeline/guidance.h"

#include <ATen/ops/std.h>

namespace fjord::pipeline {
namespace {

at::Tensor deviation(const at::Tensor& x) {
  return x.std(at::IntArrayRef{1, 2, 3}, /*unbiased=*/true, /*keepdim=*/true);
}

}  // namespace

at::Tensor guide(const at::Tensor& without_prompt, const at::Tensor& with_prompt, double scale, double rescale) {
  const auto guided = without_prompt + scale * (with_prompt - without_prompt);
  if (rescale == 0) return guided;
  const auto rescaled = guided * (deviation(with_prompt) / deviation(guided));
  return rescale * rescaled + (1 - rescale) * guided;
}

}  // namespace fjord::pipeline
