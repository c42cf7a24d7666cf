#include "models/unet/mid_block.h"

namespace fjord::models {

UNetMidBlock2D::UNetMidBlock2D(const nn::Place& place, const UNetBlockConfig& config)
    : Module(place), attentions(child("attentions")), resnets(child("resnets")) {
  auto resnet = config.resnet;
  resnet.in_channels = resnet.out_channels = config.in_channels;
  resnets.append(resnet);
  if (config.transformer) {
    auto transformer = *config.transformer;
    transformer.num_layers = config.transformer_layers.front();
    attentions.append(transformer);
    resnets.append(resnet);
  }
}

at::Tensor UNetMidBlock2D::forward(const at::Tensor& x, const LayerContext& context) const {
  auto hidden = resnets[0].forward(x, context.time(resnets[0]));
  for (size_t i = 0; i < attentions.size(); ++i) {
    hidden = resnets[i + 1].forward(attentions[i].forward(hidden, context), context.time(resnets[i + 1]));
  }
  return hidden;
}

}  // namespace fjord::models
