// Coarse colours of latents without the VAE, for previews: the linear map that comes nearest to what the VAE makes of
// random latents, averaged over each pixel of the latents.
#pragma once

#include "models/vae/autoencoder.h"

#include <fjord/texture.h>

#include <mutex>
#include <vector>

namespace fjord::pipeline {

class LatentColors {
 public:
  // Scaled latents [images, channels, height, width] -> opaque pictures of width x height. Fits the map to the VAE at
  // the first call; may be called from several threads.
  std::vector<RgbaImage> paint(const models::Autoencoder& vae, const at::Tensor& latents);

 private:
  void fit(const models::Autoencoder& vae, const at::TensorOptions& options);

  std::once_flag fitted_;
  at::Tensor map_;  // float32 [channels + 1, 3], the last row is added
};

}  // namespace fjord::pipeline
