// Large pictures in two passes: a small one first, whose composition the large one keeps ("hires fix").
#pragma once

namespace fjord {

enum class Upscaler {
  kLatent,  // latents, bilinear; no detour over pixels
  kPixels,  // pixels, by Lanczos' filter: decoded and encoded again
};

// The first pass makes a picture of the request's size, which is enlarged and goes through image to image.
struct Hires {
  double scale = 1.0;  // 1: off, to 8; sizes are rounded down to multiples of PipelineInfo::size_multiple
  Upscaler upscaler = Upscaler::kLatent;
  double strength = 0.6;  // of the second pass, as ImageInput::strength
  int steps = 0;          // of the second pass before `strength`; 0: as many as the first
};

}  // namespace fjord
