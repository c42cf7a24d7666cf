#include "models/unet/down_block.h"

namespace fjord::models {

DownBlock2D::DownBlock2D(const nn::Place& place, const UNetBlockConfig& config)
    : Module(place), attentions(child("attentions")), resnets(child("resnets")), downsamplers(child("downsamplers")) {
  for (std::int64_t i = 0; i < config.num_layers; ++i) {
    auto resnet = config.resnet;
    resnet.in_channels = i == 0 ? config.in_channels : config.out_channels;
    resnet.out_channels = config.out_channels;
    resnets.append(resnet);
    if (config.transformer) {
      auto transformer = *config.transformer;
      transformer.num_layers = config.transformer_layers[static_cast<size_t>(i)];
      attentions.append(transformer);
    }
  }
  if (config.resample) downsamplers.append(config.out_channels, config.downsample_padding);
}

at::Tensor DownBlock2D::forward(const at::Tensor& x, const LayerContext& context, std::vector<at::Tensor>& skips,
                                const at::Tensor& added) const {
  const auto outputs = resnets.size() + (attentions.empty() ? downsamplers.size() : 0);
  auto hidden = x;
  size_t output = 0;
  const auto keep = [&] {
    if (++output == outputs && added.defined()) hidden = hidden + added;
    skips.push_back(hidden);
  };
  for (size_t i = 0; i < resnets.size() && !context.deep_enough(skips.size()); ++i) {
    hidden = resnets[i].forward(hidden, context.time(resnets[i]));
    if (!attentions.empty()) hidden = attentions[i].forward(hidden, context);
    keep();
  }
  for (const auto& downsampler : downsamplers) {
    if (context.deep_enough(skips.size())) return hidden;
    hidden = downsampler->forward(hidden);
    keep();
  }
  return hidden;
}

}  // namespace fjord::models
