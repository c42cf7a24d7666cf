// The CLIP text encoder, with or without the projection of its pooled state.
// Reference: transformers CLIPTextModel, CLIPTextModelWithProjection; arXiv:2103.00020.
#pragma once

#include "models/clip/clip_encoder_layer.h"

#include <optional>
#include <vector>

namespace fjord::models {

struct ClipTextOutput {
  at::Tensor last_hidden_state;           // [batch, tokens, hidden_size], after the final LayerNorm
  at::Tensor pooled;                      // [batch, hidden_size], the state at the end-of-text token
  at::Tensor text_embeds;                 // [batch, projection_dim], only with projection
  std::vector<at::Tensor> hidden_states;  // the embeddings and every layer's output, before the final LayerNorm
};

class ClipTextModel : public nn::Module {
 public:
  ClipTextModel(const config::ClipText& config, const at::TensorOptions& options);

  // ids: int64 [batch, tokens], tokens <= max_position_embeddings, 0 <= id < vocab_size.
  ClipTextOutput forward(const at::Tensor& ids) const;

  const config::ClipText& config() const { return config_; }

  nn::Embedding token_embedding;            // "embeddings.token_embedding"
  nn::Embedding position_embedding;         // "embeddings.position_embedding"
  nn::ModuleList<ClipEncoderLayer> layers;  // "encoder.layers"
  nn::LayerNorm final_layer_norm;
  std::optional<nn::Linear> text_projection;  // CLIPTextModelWithProjection only

 private:
  at::Tensor end_of_text_positions(const at::Tensor& ids) const;

  config::ClipText config_;
};

}  // namespace fjord::models
