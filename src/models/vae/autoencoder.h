// Between pixels and latents: what every autoencoder gives, whatever it is built of.
#pragma once

#include "config/latent_space.h"
#include "models/vae/diagonal_gaussian.h"
#include "nn/module.h"

namespace fjord::models {

class Autoencoder : public nn::Module {
 public:
  using Module::Module;

  // pixels: [batch, in_channels, height, width] in -1..1 -> a distribution over unscaled latents.
  // Tiled: a picture larger than a tile is done in tiles, which needs the memory of one.
  virtual DiagonalGaussian encode(const at::Tensor& pixels, bool tiled = false) const = 0;
  // latents: [batch, latent_channels, height, width], unscaled -> pixels, about -1..1.
  virtual at::Tensor decode(const at::Tensor& latents, bool tiled = false) const = 0;
  virtual const config::LatentSpace& config() const = 0;
  // Pixels per latent along each side.
  virtual std::int64_t factor() const = 0;

  // Between the autoencoder's own latents and those of unit variance that the U-Net works on, any dtype.
  at::Tensor scale(const at::Tensor& latents) const;
  at::Tensor unscale(const at::Tensor& latents) const;
};

}  // namespace fjord::models
