// The variational autoencoder between pixels and latents. Reference: diffusers AutoencoderKL.
#pragma once

#include "models/vae/autoencoder.h"
#include "models/vae/decoder.h"
#include "models/vae/encoder.h"

#include <algorithm>
#include <optional>

namespace fjord::models {

class AutoencoderKL : public Autoencoder {
 public:
  AutoencoderKL(const config::Vae& config, const at::TensorOptions& options);

  // Tiles have the VAE's sample_size.
  DiagonalGaussian encode(const at::Tensor& pixels, bool tiled = false) const override;
  at::Tensor decode(const at::Tensor& latents, bool tiled = false) const override;
  const config::Vae& config() const override { return config_; }
  std::int64_t factor() const override { return std::int64_t{1} << (config_.block_out_channels.size() - 1); }

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
