#include "models/image_prompt/image_projection.h"

namespace fjord::models {

WholeProjection::WholeProjection(const nn::Place& place, const ProjectionConfig& config)
    : ImageProjection(place),
      proj(child("proj"), config.image_features, config.tokens * config.text_features),
      norm(child("norm"), config.text_features),
      tokens_(config.tokens) {}

at::Tensor WholeProjection::forward(const at::Tensor& states) const {
  return norm.forward(proj.forward(states).unflatten(1, {tokens_, -1}));
}

PatchProjection::PatchProjection(const nn::Place& place, const ProjectionConfig& config)
    : ImageProjection(place),
      proj_0(child("proj.0"), config.image_features, config.image_features),
      proj_2(child("proj.2"), config.image_features, config.text_features),
      proj_3(child("proj.3"), config.text_features) {}

at::Tensor PatchProjection::forward(const at::Tensor& states) const {
  return proj_3.forward(proj_2.forward(proj_0.forward(states, {.activation = nn::Activation::kGelu})));
}

}  // namespace fjord::models
