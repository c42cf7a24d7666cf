// Classifier-free guidance and what became of it: everything that is done to predictions once they are there.
#pragma once

#include <ATen/core/Tensor.h>

#include <fjord/guidance.h>

#include <vector>

namespace fjord::pipeline {

// All predictions: [images, channels, height, width].

// u + scale (c - u), eq. 6 of arXiv:2207.12598 with the paper's w = scale - 1; with mimic_scale > 0 thresholded.
at::Tensor guide(const at::Tensor& without_prompt, const at::Tensor& with_prompt, double scale,
                 const Guidance& options = {});

// Section 3.4 of arXiv:2305.08891: the guided prediction is drawn towards the standard deviation of that with the
// prompt. `rescale` 0: as it is.
at::Tensor rescaled(const at::Tensor& guided, const at::Tensor& with_prompt, double rescale);

// u + text (ct - ci) + image (ci - u), eq. 3 of arXiv:2211.09800: u without anything, ci with the image, ct with image
// and prompt. Reference: StableDiffusionInstructPix2PixPipeline.
at::Tensor guide_by_image(const at::Tensor& without, const at::Tensor& with_image, const at::Tensor& with_both,
                          double text_scale, double image_scale);

// The scale of perturbed-attention guidance at a timestep. Reference: PAGMixin._get_pag_scale.
double perturbed_scale_at(const Guidance& options, double timestep);

// The guidance scale of every one of `steps` evaluations; `scale` where there is no schedule.
std::vector<double> guidance_scales(const Guidance& options, double scale, size_t steps);

}  // namespace fjord::pipeline
