// What U-Nets and ControlNets make of the timestep, the text and its other conditions, once a request where there is a
// memory.
#include "models/unet/unet_trunk.h"

#include "core/check.h"

#include <ATen/ops/cat.h>

#include <algorithm>

namespace fjord::models {

at::Tensor UNetTrunk::time_features(const UNetInput& input) const {
  const auto dtype = input.sample.scalar_type();
  const SinusoidConfig sinusoid{config_.block_out_channels.front(), config_.flip_sin_to_cos, config_.freq_shift};
  const auto t = time_proj ? time_proj->forward(input.timesteps) : sinusoidal_embedding(input.timesteps, sinusoid);
  auto features = time_embedding->forward(t.to(dtype), input.timestep_cond);
  if (class_embedding->exists()) {
    const auto labels = class_embedding->forward(input.class_labels, dtype);
    features = config_.class_embeddings_concat ? at::cat({features, labels}, -1) : features + labels;
  }
  if (add_embedding) features = features + text_time_features(input);
  if (!config_.time_embedding_act_fn) return features;
  return nn::activate(nn::parse_activation(*config_.time_embedding_act_fn), features);
}

at::Tensor UNetTrunk::text_time_features(const UNetInput& input) const {
  check(input.text_embeds.defined() && input.time_ids.defined(), ErrorCode::kInvalidArgument,
        "this network needs text_embeds and time_ids, and the request has none");
  const SinusoidConfig sinusoid{*config_.addition_time_embed_dim, config_.flip_sin_to_cos, config_.freq_shift};
  const auto sizes = sinusoidal_embedding(input.time_ids.flatten(), sinusoid).reshape({input.text_embeds.size(0), -1});
  return add_embedding->forward(
      at::cat({input.text_embeds, sizes.to(input.text_embeds.scalar_type())}, -1).to(input.sample.scalar_type()));
}

at::Tensor UNetTrunk::project_text(const at::Tensor& text) const {
  return encoder_hid_proj ? encoder_hid_proj->forward(text) : text;
}

LayerContext UNetTrunk::layer_context(const UNetInput& input) const {
  LayerContext context{
      .batch = input.sample.size(0), .memory = input.memory, .shortcuts = input.shortcuts, .changes = input.changes};
  if (input.memory == nullptr) {
    context.text = project_text(input.encoder_hidden_states);
    context.time_features = time_features(own_rows(input));
    return context;
  }
  auto& memory = *input.memory;
  if (!memory.text.defined()) memory.text = project_text(input.encoder_hidden_states);
  context.text = memory.text;
  const auto begin = memory.timesteps.begin(), end = memory.timesteps.end();
  const auto foreseen = input.timestep ? std::find(begin, end, *input.timestep) : end;
  if (foreseen == end) {
    context.time_features = time_features(own_rows(input));
    return context;
  }
  if (!memory.time_features.defined()) memory.time_features = time_features(at_all_timesteps(input, memory.timesteps));
  context.timestep = static_cast<size_t>(foreseen - begin);
  return context;
}

}  // namespace fjord::models
