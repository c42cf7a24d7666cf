// One transformer layer of the text encoder. Reference: transformers CLIPEncoderLayer.
#pragma once

#include "config/clip_text.h"
#include "nn/activation.h"
#include "nn/layers.h"

namespace fjord::models {

class ClipAttention : public nn::Module {
 public:
  ClipAttention(const nn::Place& place, const config::ClipText& config);
  // Causal self-attention: [batch, tokens, hidden_size] -> the same shape; `residual` is added.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const;

  nn::Linear k_proj, v_proj, q_proj, out_proj;

 private:
  std::int64_t num_heads_;
};

class ClipMlp : public nn::Module {
 public:
  ClipMlp(const nn::Place& place, const config::ClipText& config);
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) const;

  nn::Linear fc1, fc2;

 private:
  nn::Activation activation_;
};

class ClipEncoderLayer : public nn::Module {
 public:
  ClipEncoderLayer(const nn::Place& place, const config::ClipText& config);
  at::Tensor forward(const at::Tensor& x) const;

  ClipAttention self_attn;
  nn::LayerNorm layer_norm1;
  ClipMlp mlp;
  nn::LayerNorm layer_norm2;
};

}  // namespace fjord::models
