#include "models/vae/autoencoder_kl.h"

#include "models/vae/tiling.h"

namespace fjord::models {

AutoencoderKL::AutoencoderKL(const config::Vae& config, const at::TensorOptions& options)
    : Autoencoder({nullptr, "", options}),
      encoder(child("encoder"), config),
      decoder(child("decoder"), config),
      config_(config) {
  const nn::Conv2dOptions pointwise{.kernel = 1};
  const auto channels = config.latent_channels;
  if (config.use_quant_conv) quant_conv.emplace(child("quant_conv"), 2 * channels, 2 * channels, pointwise);
  if (config.use_post_quant_conv) post_quant_conv.emplace(child("post_quant_conv"), channels, channels, pointwise);
}

at::Tensor AutoencoderKL::moments(const at::Tensor& pixels) const {
  const auto encoded = encoder.forward(pixels);
  return quant_conv ? quant_conv->forward(encoded) : encoded;
}

at::Tensor AutoencoderKL::pixels(const at::Tensor& latents) const {
  return decoder.forward(post_quant_conv ? post_quant_conv->forward(latents) : latents);
}

DiagonalGaussian AutoencoderKL::encode(const at::Tensor& pixels, bool tiled) const {
  const Tiles tiles{config_.sample_size, latent_tile()};
  if (!tiled || !needs_tiles(pixels, tiles)) return DiagonalGaussian(moments(pixels));
  return DiagonalGaussian(in_tiles(pixels, tiles, [this](const at::Tensor& tile) { return moments(tile); }));
}

at::Tensor AutoencoderKL::decode(const at::Tensor& latents, bool tiled) const {
  const Tiles tiles{latent_tile(), config_.sample_size};
  if (!tiled || !needs_tiles(latents, tiles)) return pixels(latents);
  return in_tiles(latents, tiles, [this](const at::Tensor& tile) { return pixels(tile); });
}

}  // namespace fjord::models
