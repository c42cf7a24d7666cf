// Which part of the way from noise to picture a request walks.
#pragma once

namespace fjord {

// Fractions of the training timesteps, from pure noise (0) to the picture (1): 0 <= begin < end <= 1. One model may do
// the first part and another, a refiner, the rest: the first runs with `end` and decode = false, its Result::latents
// become Request::latents of the second, which runs with `begin` of the same value and as many `steps`.
// Reference: denoising_end and denoising_start of diffusers' StableDiffusionXLPipeline and -Img2ImgPipeline.
struct DenoisingRange {
  double begin = 0.0;  // above 0: `latents` must be given and are taken as they are, without scaling
  double end = 1.0;    // below 1: the run stops early and the result still has noise in it
};

}  // namespace fjord
