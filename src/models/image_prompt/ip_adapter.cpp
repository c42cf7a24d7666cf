#include "models/image_prompt/ip_adapter.h"

#include "models/image_prompt/image_resampler.h"

#include <string>

namespace fjord::models {
namespace {

std::unique_ptr<ImageProjection> make_projection(const nn::Place& place, const ProjectionConfig& config) {
  switch (config.kind) {
    case ProjectionKind::kPatches: return std::make_unique<PatchProjection>(place, config);
    case ProjectionKind::kResampler: return std::make_unique<ImageResampler>(place, config);
    case ProjectionKind::kWhole: break;
  }
  return std::make_unique<WholeProjection>(place, config);
}

}  // namespace

PictureAttention::PictureAttention(const nn::Place& place, std::int64_t text_features, std::int64_t features)
    : Module(place),
      to_k_ip(child("to_k_ip"), text_features, features, /*with_bias=*/false),
      to_v_ip(child("to_v_ip"), text_features, features, /*with_bias=*/false) {}

IpAdapter::IpAdapter(const IpAdapterConfig& config, const at::TensorOptions& options)
    : Module({nullptr, "", options}),
      image_proj(make_projection(child("image_proj"), config.projection)),
      config_(config) {
  // Files count all layers of attention, and those that do not attend to the text have nothing.
  for (size_t i = 0; i < config.layers.size(); ++i) {
    layers.push_back(std::make_unique<PictureAttention>(child("ip_adapter." + std::to_string(2 * i + 1)),
                                                        config.projection.text_features, config.layers[i]));
  }
}

KeysAndValues IpAdapter::keys_and_values(size_t layer, const at::Tensor& tokens) const {
  return {layers.at(layer)->to_k_ip.forward(tokens), layers.at(layer)->to_v_ip.forward(tokens)};
}

}  // namespace fjord::models
