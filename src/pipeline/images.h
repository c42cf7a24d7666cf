// Latents to images.
#pragma once

#include "models/vae/autoencoder_kl.h"

#include <fjord/image.h>

#include <vector>

namespace fjord::pipeline {

// Decodes scaled latents [images, channels, height, width], one by one, in tiles if asked, and rounds to bytes as the
// reference does. Throws Error(kNonFinite) if the picture has NaN or infinity.
std::vector<Image> decode_images(const models::AutoencoderKL& vae, const at::Tensor& latents, bool tiled);

}  // namespace fjord::pipeline
