#include "models/control/t2i_adapter.h"

#include "nn/activation.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/pixel_unshuffle.h>

#include <algorithm>

namespace fjord::models {
namespace {

constexpr nn::Conv2dOptions kSameSize{.kernel = 3, .padding = 1};
constexpr nn::Conv2dOptions kMixing{.kernel = 1};
constexpr std::int64_t kLightShare = 4;

// The blocks of a network, by its type.
std::vector<AdapterBlockConfig> blocks_of(const config::T2IAdapter& config) {
  const auto& channels = config.channels;
  const auto pixels = config.in_channels * config.downscale_factor * config.downscale_factor;
  const bool light = config.adapter_type == "light_adapter", large = config.adapter_type == "full_adapter_xl";
  const auto count = channels.size() + (light ? 1 : 0);
  std::vector<AdapterBlockConfig> out;
  for (size_t i = 0; i < count; ++i) {
    AdapterBlockConfig block{.layers = config.num_res_blocks, .light = light};
    block.out_channels = channels[std::min(i, channels.size() - 1)];
    block.in_channels = i == 0 ? (light ? pixels : channels[0]) : channels[i - 1];
    block.halves = large ? i == 2 : i > 0;
    // The reference builds the large kind's later blocks on their own number of channels.
    if (large && i > 2) block.in_channels = block.out_channels;
    out.push_back(block);
  }
  return out;
}

}  // namespace

AdapterLayer::AdapterLayer(const nn::Place& place, std::int64_t channels, const nn::Conv2dOptions& second)
    : Module(place),
      block1(child("block1"), channels, channels, kSameSize),
      block2(child("block2"), channels, channels, second) {}

at::Tensor AdapterLayer::forward(const at::Tensor& x) const {
  return block2.forward(nn::activate(nn::Activation::kRelu, block1.forward(x)), {.residual = x});
}

AdapterBlock::AdapterBlock(const nn::Place& place, const AdapterBlockConfig& config)
    : Module(place), resnets(child("resnets")), halves_(config.halves) {
  const auto inner = config.light ? config.out_channels / kLightShare : config.out_channels;
  if (config.light || config.in_channels != inner)
    in_conv.emplace(child("in_conv"), config.in_channels, inner, kMixing);
  for (std::int64_t i = 0; i < config.layers; ++i) resnets.append(inner, config.light ? kSameSize : kMixing);
  if (config.light) out_conv.emplace(child("out_conv"), inner, config.out_channels, kMixing);
}

at::Tensor AdapterBlock::forward(const at::Tensor& x) const {
  auto hidden = halves_ ? at::avg_pool2d(x, {2, 2}, {2, 2}, {0, 0}, /*ceil_mode=*/true) : x;
  if (in_conv) hidden = in_conv->forward(hidden);
  for (const auto& layer : resnets) hidden = layer->forward(hidden);
  return out_conv ? out_conv->forward(hidden) : hidden;
}

T2IAdapter::T2IAdapter(const config::T2IAdapter& config, const at::TensorOptions& options)
    : Module({nullptr, "", options}), config_(config), body(child("adapter.body")) {
  const auto pixels = config.in_channels * config.downscale_factor * config.downscale_factor;
  if (config.adapter_type != "light_adapter") {
    conv_in.emplace(child("adapter.conv_in"), pixels, config.channels.front(), kSameSize);
  }
  for (const auto& block : blocks_of(config)) body.append(block);
}

std::vector<at::Tensor> T2IAdapter::forward(const at::Tensor& picture) const {
  auto hidden = at::pixel_unshuffle(picture, config_.downscale_factor);
  if (conv_in) hidden = conv_in->forward(hidden);
  std::vector<at::Tensor> out;
  for (const auto& block : body) {
    hidden = block->forward(hidden);
    out.push_back(hidden);
  }
  return out;
}

std::vector<T2IAdapter::Map> T2IAdapter::maps(const config::T2IAdapter& config) {
  std::vector<Map> out;
  auto factor = config.downscale_factor;
  for (const auto& block : blocks_of(config)) {
    if (block.halves) factor *= 2;
    out.push_back({block.out_channels, factor});
  }
  return out;
}

}  // namespace fjord::models
