#include "models/image_prompt/image_resampler.h"

#include "ops/attention.h"

#include <ATen/ops/cat.h>

namespace fjord::models {

ResamplerLayer::ResamplerLayer(const nn::Place& place, const ProjectionConfig& config)
    : Module(place),
      norm1(child("0.norm1"), config.hidden_features),
      norm2(child("0.norm2"), config.hidden_features),
      to_q(child("0.to_q"), config.hidden_features, config.heads * ImageResampler::kHeadFeatures, false),
      to_kv(child("0.to_kv"), config.hidden_features, 2 * config.heads * ImageResampler::kHeadFeatures, false),
      to_out(child("0.to_out"), config.heads * ImageResampler::kHeadFeatures, config.hidden_features, false),
      ff_norm(child("1.0"), config.hidden_features),
      ff_in(child("1.1"), config.hidden_features, 4 * config.hidden_features, false),
      ff_out(child("1.3"), 4 * config.hidden_features, config.hidden_features, false),
      heads_(config.heads) {}

at::Tensor ResamplerLayer::forward(const at::Tensor& tokens, const at::Tensor& patches) const {
  const auto own = norm2.forward(tokens);
  const auto keys_and_values = to_kv.forward(at::cat({norm1.forward(patches), own}, 1)).chunk(2, -1);
  const auto seen = ops::attention(to_q.forward(own), keys_and_values[0].contiguous(), keys_and_values[1].contiguous(),
                                   {.num_heads = heads_, .kernels = kernels()});
  const auto hidden = to_out.forward(seen, {.residual = tokens});
  const auto wide = ff_in.forward(ff_norm.forward(hidden), {.activation = nn::Activation::kGelu});
  return ff_out.forward(wide, {.residual = hidden});
}

ImageResampler::ImageResampler(const nn::Place& place, const ProjectionConfig& config)
    : ImageProjection(place),
      proj_in(child("proj_in"), config.image_features, config.hidden_features),
      proj_out(child("proj_out"), config.hidden_features, config.text_features),
      norm_out(child("norm_out"), config.text_features),
      layers(child("layers")) {
  parameter(latents, "latents", {1, config.tokens, config.hidden_features});
  for (std::int64_t i = 0; i < config.depth; ++i) layers.append(config);
}

at::Tensor ImageResampler::forward(const at::Tensor& states) const {
  const auto patches = proj_in.forward(states);
  auto tokens = latents.expand({states.size(0), -1, -1}).contiguous();
  for (const auto& layer : layers) tokens = layer->forward(tokens, patches);
  return norm_out.forward(proj_out.forward(tokens));
}

}  // namespace fjord::models
