#include "models/unet/up_block.h"

#include "ops/cpu_tensors.h"

namespace fjord::models {

UpBlock2D::UpBlock2D(const nn::Place& place, const UNetBlockConfig& config)
    : Module(place), attentions(child("attentions")), resnets(child("resnets")), upsamplers(child("upsamplers")) {
  for (std::int64_t i = 0; i < config.num_layers; ++i) {
    const auto skip_channels = i == config.num_layers - 1 ? config.in_channels : config.out_channels;
    auto resnet = config.resnet;
    resnet.in_channels = (i == 0 ? config.previous_channels : config.out_channels) + skip_channels;
    resnet.out_channels = config.out_channels;
    resnets.append(resnet);
    if (config.transformer) {
      auto transformer = *config.transformer;
      transformer.num_layers = config.transformer_layers[static_cast<size_t>(i)];
      attentions.append(transformer);
    }
  }
  if (config.resample) upsamplers.append(config.out_channels);
}

at::Tensor UpBlock2D::forward(const at::Tensor& x, const LayerContext& context, std::vector<at::Tensor>& skips,
                              const UpWay& way) const {
  auto hidden = x;
  for (size_t i = way.first_layer; i < resnets.size(); ++i) {
    context.keep_deep(skips.size() - 1, hidden);
    auto skip = skips.back();
    if (const auto& free_u = context.changes.free_u) {
      hidden = free_u->backbone(hidden, way.step);
      skip = free_u->skip(skip, way.step);
    }
    hidden = resnets[i].forward(ops::join_channels(hidden, skip), context.time(resnets[i]));
    skips.pop_back();
    if (!attentions.empty()) hidden = attentions[i].forward(hidden, context);
  }
  for (const auto& upsampler : upsamplers) hidden = upsampler->forward(hidden, way.size);
  return hidden;
}

}  // namespace fjord::models
