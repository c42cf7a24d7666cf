// Inpainting by a network that knows nothing of masks: after every step latents outside of the mask are set back to the
// original with the noise of that step.
#pragma once

#include <fjord/image.h>
#include <fjord/torch/scheduler.h>

#include <ATen/core/Tensor.h>

#include <utility>

namespace fjord::pipeline {

// How much of each latent is painted, [1, 1, height / factor, width / factor] in 0..1. Hard: 1 where the pixel at the
// latent's upper left corner is 128 or more, else 0 (the reference's nearest neighbour). Soft: the mean over its
// pixels.
at::Tensor hard_latent_mask(const Mask& mask, std::int64_t factor);
at::Tensor soft_latent_mask(const Mask& mask, std::int64_t factor);

class MaskedBlend {
 public:
  // original: clean latents; noise: the noise that was added to them at the start; both [images, channels, height,
  // width]. strength: of each latent, as the masks above.
  MaskedBlend(at::Tensor original, at::Tensor noise, at::Tensor strength)
      : original_(std::move(original)), noise_(std::move(noise)), strength_(std::move(strength)) {}

  // The latents after evaluation `i` of the run, which is number `done` (from 1) of `count` in this pass. A latent of
  // strength m follows the original for the first 1 - m of the pass: differential diffusion, arXiv:2306.00950. Where m
  // is 0 or 1 this is the reference's StableDiffusionInpaintPipeline.
  at::Tensor apply(const SchedulerRun& run, std::int64_t i, int done, int count, const at::Tensor& latents) const;

 private:
  at::Tensor original_;
  at::Tensor noise_;
  at::Tensor strength_;
};

}  // namespace fjord::pipeline
