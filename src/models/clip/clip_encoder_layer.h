// One transformer layer of CLIP's text and image encoders. Reference: transformers CLIPEncoderLayer.
#pragma once

#include "config/clip_text.h"
#include "config/clip_vision.h"
#include "nn/activation.h"
#include "nn/layers.h"

namespace fjord::models {

// What both encoders' configurations say of a layer.
struct ClipLayerConfig {
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t num_attention_heads = 1;
  std::string hidden_act = {};
  double layer_norm_eps = 1e-5;
  bool causal = false;  // a token sees itself and those before it

  explicit ClipLayerConfig(const config::ClipText& config);
  explicit ClipLayerConfig(const config::ClipVision& config);
};

class ClipAttention : public nn::Module {
 public:
  ClipAttention(const nn::Place& place, const ClipLayerConfig& config);
  // Self-attention: [batch, tokens, hidden_size] -> the same shape; `residual` is added.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const;

  nn::Linear k_proj, v_proj, q_proj, out_proj;

 private:
  std::int64_t num_heads_;
  bool causal_;
};

class ClipMlp : public nn::Module {
 public:
  ClipMlp(const nn::Place& place, const ClipLayerConfig& config);
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const;

  nn::Linear fc1, fc2;

 private:
  nn::Activation activation_;
};

class ClipEncoderLayer : public nn::Module {
 public:
  ClipEncoderLayer(const nn::Place& place, const ClipLayerConfig& config);
  at::Tensor forward(const at::Tensor& x) const;

  ClipAttention self_attn;
  nn::LayerNorm layer_norm1;
  ClipMlp mlp;
  nn::LayerNorm layer_norm2;
};

}  // namespace fjord::models
