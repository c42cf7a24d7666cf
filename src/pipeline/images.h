// Between latents and images.
#pragma once

#include "models/vae/autoencoder.h"
#include "pipeline/model.h"

#include <fjord/image.h>
#include <fjord/reproduction.h>

#include <functional>
#include <string>
#include <vector>

namespace fjord::pipeline {

struct DecodeOptions {
  bool tiled = false;
  PixelRounding rounding = PixelRounding::kNearest;
};

// Decodes scaled latents [images, channels, height, width], one by one, in tiles if asked, and rounds to bytes. Throws
// Error(kNonFinite) if the picture has NaN or infinity.
std::vector<Image> decode_images(const models::Autoencoder& vae, const at::Tensor& latents,
                                 const DecodeOptions& options);

// Likewise with the model's VAE; where that overflows in half precision, once more with its weights in float32, which
// leaves a sentence in `warnings`.
std::vector<Image> decode_images(const Model& model, const at::Tensor& latents, const DecodeOptions& options,
                                 std::vector<std::string>& warnings);

// Bytes to -1..1: [pictures, 3, height, width], float32 on the CPU. All pictures have one size, and there is one.
at::Tensor pixels_of(const std::vector<Image>& pictures);

// Scaled latents of pixels in -1..1 [pictures, 3, height, width], encoded one by one and drawn from the encoder's
// distributions, in the dtype of the pixels.
struct EncodedPixels {
  at::Tensor latents;  // [pictures, channels, height / factor, width / factor]
  bool drawn = false;  // false: the encoder gives latents themselves and no noise was asked for
};
// The most likely latents of pixels, [pictures, 3, height, width] likewise, as the encoder gives them: not scaled.
at::Tensor encode_modes(const models::Autoencoder& vae, const at::Tensor& pixels, bool tiled);

// `draw_noise` gives standard normal numbers of the latents' shape, once, after all is encoded.
EncodedPixels encode_pixels(const models::Autoencoder& vae, const at::Tensor& pixels,
                            const std::function<at::Tensor()>& draw_noise, bool tiled);

}  // namespace fjord::pipeline
