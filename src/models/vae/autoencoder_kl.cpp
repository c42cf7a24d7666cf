#include "models/vae/autoencoder_kl.h"

namespace fjord::models {

AutoencoderKL::AutoencoderKL(const config::Vae& config, const at::TensorOptions& options)
    : Module({nullptr, "", options}),
      encoder(child("encoder"), config),
      decoder(child("decoder"), config),
      config_(config) {
  const nn::Conv2dOptions pointwise{.kernel = 1};
  const auto channels = config.latent_channels;
  if (config.use_quant_conv) quant_conv.emplace(child("quant_conv"), 2 * channels, 2 * channels, pointwise);
  if (config.use_post_quant_conv) post_quant_conv.emplace(child("post_quant_conv"), channels, channels, pointwise);
}

DiagonalGaussian AutoencoderKL::encode(const at::Tensor& pixels) const {
  const auto moments = encoder.forward(pixels);
  return DiagonalGaussian(quant_conv ? quant_conv->forward(moments) : moments);
}

at::Tensor AutoencoderKL::decode(const at::Tensor& latents) const {
  return decoder.forward(post_quant_conv ? post_quant_conv->forward(latents) : latents);
}

}  // namespace fjord::models
