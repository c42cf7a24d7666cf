// The variational autoencoder between pixels and latents. Reference: diffusers AutoencoderKL.
#pragma once

#include "models/vae/decoder.h"
#include "models/vae/diagonal_gaussian.h"
#include "models/vae/encoder.h"

#include <optional>

namespace fjord::models {

class AutoencoderKL : public nn::Module {
 public:
  AutoencoderKL(const config::Vae& config, const at::TensorOptions& options);

  // pixels: [batch, in_channels, height, width] in -1..1 -> a distribution over unscaled latents.
  DiagonalGaussian encode(const at::Tensor& pixels) const;
  // latents: [batch, latent_channels, height, width], unscaled -> pixels, about -1..1.
  at::Tensor decode(const at::Tensor& latents) const;

  const config::Vae& config() const { return config_; }
  // Pixels per latent along each side.
  std::int64_t factor() const { return std::int64_t{1} << (config_.block_out_channels.size() - 1); }

  Encoder encoder;
  Decoder decoder;
  std::optional<nn::Conv2d> quant_conv;
  std::optional<nn::Conv2d> post_quant_conv;

 private:
  config::Vae config_;
};

}  // namespace fjord::models
