#include "models/vae/encoder.h"

#include "core/check.h"

#include <utility>

namespace fjord::models {

DownEncoderBlock2D::DownEncoderBlock2D(const nn::Place& place, const config::Vae& config, size_t level)
    : Module(place), resnets(child("resnets")), downsamplers(child("downsamplers")) {
  const auto& type = config.down_block_types[level];
  check(type == "DownEncoderBlock2D", ErrorCode::kUnsupported, "VAE down block type must be DownEncoderBlock2D, got ",
        quoted(type));
  const auto out_channels = config.block_out_channels[level];
  auto in_channels = config.block_out_channels[level == 0 ? 0 : level - 1];
  for (std::int64_t i = 0; i < config.layers_per_block; ++i, in_channels = out_channels) {
    resnets.append(vae_resnet_config(config, in_channels, out_channels));
  }
  if (level + 1 < config.block_out_channels.size()) downsamplers.append(out_channels, /*padding=*/0);
}

at::Tensor DownEncoderBlock2D::forward(at::Tensor hidden) const {
  for (const auto& resnet : resnets) hidden = resnet->forward(std::move(hidden), {});
  for (const auto& downsampler : downsamplers) hidden = downsampler->forward(hidden);
  return hidden;
}

Encoder::Encoder(const nn::Place& place, const config::Vae& config)
    : Module(place),
      conv_in(child("conv_in"), config.in_channels, config.block_out_channels.front(), {.kernel = 3, .padding = 1}),
      down_blocks(child("down_blocks")),
      mid_block(child("mid_block"), config, config.block_out_channels.back()),
      conv_norm_out(child("conv_norm_out"), config.norm_num_groups, config.block_out_channels.back(), 1e-6),
      conv_out(child("conv_out"), config.block_out_channels.back(), 2 * config.latent_channels,
               {.kernel = 3, .padding = 1}),
      activation_(nn::parse_activation("silu")) {
  for (size_t level = 0; level < config.block_out_channels.size(); ++level) down_blocks.append(config, level);
}

at::Tensor Encoder::forward(const at::Tensor& x) const {
  auto hidden = conv_in.forward(x);
  for (const auto& block : down_blocks) hidden = block->forward(std::move(hidden));
  hidden = mid_block.forward(hidden);
  return conv_out.forward(conv_norm_out.forward(std::move(hidden), activation_));
}

}  // namespace fjord::models
