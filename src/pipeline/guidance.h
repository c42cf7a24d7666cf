// Classifier-free guidance and its rescaling.
#pragma once

#include <ATen/core/Tensor.h>

namespace fjord::pipeline {

// u + scale (c - u), eq. 6 of arXiv:2207.12598 with the paper's w = scale - 1; then, for rescale > 0, section 3.4 of
// arXiv:2305.08891: the result is drawn towards the standard deviation of c. Both: [images, channels, height, width].
at::Tensor guide(const at::Tensor& without_prompt, const at::Tensor& with_prompt, double scale, double rescale);

}  // namespace fjord::pipeline
