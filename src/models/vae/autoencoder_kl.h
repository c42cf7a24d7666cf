// The variational autoencoder between pixels and latents. Reference: diffusers AutoencoderKL.
#pragma once

#include "models/vae/decoder.h"
#include "models/vae/diagonal_gaussian.h"
#include "models/vae/encoder.h"

#include <algorithm>
#include <optional>

namespace fjord::models {

class AutoencoderKL : public nn::Module {
 public:
  AutoencoderKL(const config::Vae& config, const at::TensorOptions& options);

  // pixels: [batch, in_channels, height, width] in -1..1 -> a distribution over unscaled latents.
  // Tiled: a picture larger than the VAE's sample_size is done in tiles of that size, which needs the memory of one.
  DiagonalGaussian encode(const at::Tensor& pixels, bool tiled = false) const;
  // latents: [batch, latent_channels, height, width], unscaled -> pixels, about -1..1.
  at::Tensor decode(const at::Tensor& latents, bool tiled = false) const;

  const config::Vae& config() const { return config_; }
  // Pixels per latent along each side.
  std::int64_t factor() const { return std::int64_t{1} << (config_.block_out_channels.size() - 1); }

  Encoder encoder;
  Decoder decoder;
  std::optional<nn::Conv2d> quant_conv;
  std::optional<nn::Conv2d> post_quant_conv;

 private:
  at::Tensor moments(const at::Tensor& pixels) const;
  at::Tensor pixels(const at::Tensor& latents) const;
  std::int64_t latent_tile() const { return std::max<std::int64_t>(1, config_.sample_size / factor()); }

  config::Vae config_;
};

}  // namespace fjord::models
