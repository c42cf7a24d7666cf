#include "models/clip/clip_text_model.h"

#include "core/check.h"

#include <ATen/ops/arange.h>

namespace fjord::models {
namespace {

// Old configurations say 2 although the vocabulary's end-of-text id is another, namely the largest.
constexpr std::int64_t kLegacyEndOfText = 2;

}  // namespace

ClipTextModel::ClipTextModel(const config::ClipText& config, const at::TensorOptions& options)
    : Module({nullptr, "", options}),
      token_embedding(child("embeddings.token_embedding"), config.vocab_size, config.hidden_size),
      position_embedding(child("embeddings.position_embedding"), config.max_position_embeddings, config.hidden_size),
      layers(child("encoder.layers")),
      final_layer_norm(child("final_layer_norm"), config.hidden_size, config.layer_norm_eps),
      config_(config) {
  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) layers.append(ClipLayerConfig(config));
  if (config.architecture == "CLIPTextModelWithProjection") {
    text_projection.emplace(child("text_projection"), config.hidden_size, config.projection_dim, /*with_bias=*/false);
  }
}

ClipTextOutput ClipTextModel::forward(const at::Tensor& ids) const {
  check(ids.size(1) <= config_.max_position_embeddings, ErrorCode::kInvalidArgument, "the text encoder takes at most ",
        config_.max_position_embeddings, " tokens, got ", ids.size(1));
  const auto positions = at::arange(ids.size(1), ids.options());
  auto hidden = token_embedding.forward(ids) + position_embedding.forward(positions);
  ClipTextOutput out;
  out.hidden_states.push_back(hidden);
  for (const auto& layer : layers) {
    hidden = layer->forward(hidden);
    out.hidden_states.push_back(hidden);
  }
  out.last_hidden_state = final_layer_norm.forward(hidden);
  const auto rows = at::arange(ids.size(0), ids.options());
  out.pooled = out.last_hidden_state.index({rows, end_of_text_positions(ids)});
  if (text_projection) out.text_embeds = text_projection->forward(out.pooled);
  return out;
}

at::Tensor ClipTextModel::end_of_text_positions(const at::Tensor& ids) const {
  if (config_.eos_token_id == kLegacyEndOfText) return ids.argmax(-1);
  return ids.eq(config_.eos_token_id).to(at::kInt).argmax(-1);
}

}  // namespace fjord::models
