#include "models/control/controlnet.h"

#include <ATen/ops/logspace.h>
#include <ATen/ops/silu.h>

#include <utility>

namespace fjord::models {
namespace {

constexpr nn::Conv2dOptions kSameSize{.kernel = 3, .padding = 1};
constexpr nn::Conv2dOptions kHalfSize{.kernel = 3, .stride = 2, .padding = 1};
constexpr nn::Conv2dOptions kMixing{.kernel = 1};

// Of every map and last of the bottom, in float32 as the reference works them out.
std::vector<double> scales_of(const ControlVolume& volume, size_t maps) {
  if (!volume.guesses) return std::vector<double>(maps + 1, volume.scale);
  const auto scales = at::logspace(-1, 0, static_cast<std::int64_t>(maps) + 1, 10.0, at::kFloat) * volume.scale;
  const auto* begin = scales.const_data_ptr<float>();
  return {begin, begin + scales.numel()};
}

}  // namespace

ControlNetConditioningEmbedding::ControlNetConditioningEmbedding(const nn::Place& place,
                                                                 const config::ControlNet& config)
    : Module(place),
      conv_in(child("conv_in"), config.conditioning_channels, config.conditioning_embedding_out_channels.front(),
              kSameSize),
      blocks(child("blocks")),
      conv_out(child("conv_out"), config.conditioning_embedding_out_channels.back(),
               config.unet.block_out_channels.front(), kSameSize) {
  const auto& channels = config.conditioning_embedding_out_channels;
  for (size_t i = 0; i + 1 < channels.size(); ++i) {
    blocks.append(channels[i], channels[i], kSameSize);
    blocks.append(channels[i], channels[i + 1], kHalfSize);
  }
}

at::Tensor ControlNetConditioningEmbedding::forward(const at::Tensor& picture) const {
  auto hidden = conv_in.forward(picture);
  at::silu_(hidden);
  for (const auto& block : blocks) {
    hidden = block->forward(hidden);
    at::silu_(hidden);
  }
  return conv_out.forward(hidden);
}

ControlNetModel::ControlNetModel(const config::ControlNet& config, const at::TensorOptions& options)
    : UNetTrunk(config.unet, options),
      controlnet_cond_embedding(child("controlnet_cond_embedding"), config),
      controlnet_down_blocks(child("controlnet_down_blocks")),
      controlnet_mid_block(child("controlnet_mid_block"), config.unet.block_out_channels.back(),
                           config.unet.block_out_channels.back(), kMixing),
      control_config_(config) {
  const auto& channels = config.unet.block_out_channels;
  controlnet_down_blocks.append(channels.front(), channels.front(), kMixing);
  for (size_t level = 0; level < channels.size(); ++level) {
    const auto maps = config.unet.layers_per_block[level] + (level + 1 < channels.size() ? 1 : 0);
    for (std::int64_t i = 0; i < maps; ++i) controlnet_down_blocks.append(channels[level], channels[level], kMixing);
  }
}

at::Tensor ControlNetModel::embed(const at::Tensor& picture) const {
  return controlnet_cond_embedding.forward(control_config_.reversed_channels ? picture.flip({1}) : picture);
}

// A map as it is added, at one pixel for all where the picture counts as a whole.
at::Tensor ControlNetModel::heard(const at::Tensor& map, double scale) const {
  const auto scaled = scale == 1 ? map : map * scale;
  return control_config_.global_pool_conditions ? scaled.mean({2, 3}, /*keepdim=*/true) : scaled;
}

ControlSignals ControlNetModel::forward(const UNetInput& input, const at::Tensor& embedded,
                                        const ControlVolume& volume) const {
  const ops::WrapScope wrap(input.wrap);
  const auto context = layer_context(input);
  std::vector<at::Tensor> maps;
  auto hidden = run_down_blocks(conv_in.forward(input.sample) + embedded, context, {}, maps);
  const bool guesses = volume.guesses && !control_config_.global_pool_conditions;
  const auto scales = scales_of({volume.scale, guesses}, controlnet_down_blocks.size());
  ControlSignals out;
  for (size_t i = 0; i < maps.size(); ++i) {
    out.skips.push_back(heard(controlnet_down_blocks[i].forward(maps[i]), scales[i]));
  }
  if (input.shortcuts.reuse_deep) return out;
  if (mid_block) hidden = mid_block->forward(hidden, context);
  out.middle = heard(controlnet_mid_block.forward(hidden), scales.back());
  return out;
}

}  // namespace fjord::models
