// The CLIP image encoder with the projection of its pooled state.
// Reference: transformers CLIPVisionModelWithProjection; arXiv:2103.00020.
#pragma once

#include "models/clip/clip_encoder_layer.h"
#include "nn/bias_free_conv.h"

namespace fjord::models {

struct ClipVisionOutput {
  at::Tensor image_embeds;  // [batch, projection_dim]
  at::Tensor penultimate;   // [batch, tokens, hidden_size], what the last layer is given: the whole, then the patches
};

class ClipVisionModel : public nn::Module {
 public:
  ClipVisionModel(const config::ClipVision& config, const at::TensorOptions& options);

  // pixels: [batch, 3, image_size, image_size], normalised.
  ClipVisionOutput forward(const at::Tensor& pixels) const;

  const config::ClipVision& config() const { return config_; }

  at::Tensor class_embedding;               // "embeddings.class_embedding" [hidden_size]
  nn::BiasFreeConv2d patch_embedding;       // "embeddings.patch_embedding"
  nn::Embedding position_embedding;         // "embeddings.position_embedding"
  nn::LayerNorm pre_layernorm;              // "pre_layrnorm", as the checkpoints spell it
  nn::ModuleList<ClipEncoderLayer> layers;  // "encoder.layers"
  nn::LayerNorm post_layernorm;
  nn::Linear visual_projection;

 private:
  at::Tensor embed(const at::Tensor& pixels) const;

  config::ClipVision config_;
};

}  // namespace fjord::models
