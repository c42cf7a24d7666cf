#include "models/vae/decoder.h"

#include "core/check.h"

#include <utility>

namespace fjord::models {

UpDecoderBlock2D::UpDecoderBlock2D(const nn::Place& place, const config::Vae& config, size_t step)
    : Module(place), resnets(child("resnets")), upsamplers(child("upsamplers")) {
  const auto& type = config.up_block_types[step];
  check(type == "UpDecoderBlock2D", ErrorCode::kUnsupported, "VAE up block type must be UpDecoderBlock2D, got ",
        quoted(type));
  const auto levels = config.block_out_channels.size();
  const auto out_channels = config.block_out_channels[levels - 1 - step];
  auto in_channels = config.block_out_channels[levels - (step == 0 ? 1 : step)];
  for (std::int64_t i = 0; i <= config.layers_per_block; ++i, in_channels = out_channels) {
    resnets.append(vae_resnet_config(config, in_channels, out_channels));
  }
  if (step + 1 < levels) upsamplers.append(out_channels);
}

at::Tensor UpDecoderBlock2D::forward(at::Tensor hidden) const {
  for (const auto& resnet : resnets) hidden = resnet->forward(std::move(hidden), {});
  for (const auto& upsampler : upsamplers) hidden = upsampler->forward(hidden);
  return hidden;
}

Decoder::Decoder(const nn::Place& place, const config::Vae& config)
    : Module(place),
      conv_in(child("conv_in"), config.latent_channels, config.block_out_channels.back(), {.kernel = 3, .padding = 1}),
      mid_block(child("mid_block"), config, config.block_out_channels.back()),
      up_blocks(child("up_blocks")),
      conv_norm_out(child("conv_norm_out"), config.norm_num_groups, config.block_out_channels.front(), 1e-6),
      conv_out(child("conv_out"), config.block_out_channels.front(), config.out_channels, {.kernel = 3, .padding = 1}),
      activation_(nn::parse_activation("silu")) {
  for (size_t step = 0; step < config.block_out_channels.size(); ++step) up_blocks.append(config, step);
}

at::Tensor Decoder::forward(const at::Tensor& z) const {
  auto hidden = mid_block.forward(conv_in.forward(z));
  for (const auto& block : up_blocks) hidden = block->forward(std::move(hidden));
  return conv_out.forward(conv_norm_out.forward(std::move(hidden), activation_));
}

}  // namespace fjord::models
