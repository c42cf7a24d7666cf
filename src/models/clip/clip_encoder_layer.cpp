#include "models/clip/clip_encoder_layer.h"

#include "ops/attention.h"

namespace fjord::models {

ClipLayerConfig::ClipLayerConfig(const config::ClipText& config)
    : hidden_size(config.hidden_size),
      intermediate_size(config.intermediate_size),
      num_attention_heads(config.num_attention_heads),
      hidden_act(config.hidden_act),
      layer_norm_eps(config.layer_norm_eps),
      causal(true) {}

ClipLayerConfig::ClipLayerConfig(const config::ClipVision& config)
    : hidden_size(config.hidden_size),
      intermediate_size(config.intermediate_size),
      num_attention_heads(config.num_attention_heads),
      hidden_act(config.hidden_act),
      layer_norm_eps(config.layer_norm_eps) {}

ClipAttention::ClipAttention(const nn::Place& place, const ClipLayerConfig& config)
    : Module(place),
      k_proj(child("k_proj"), config.hidden_size, config.hidden_size),
      v_proj(child("v_proj"), config.hidden_size, config.hidden_size),
      q_proj(child("q_proj"), config.hidden_size, config.hidden_size),
      out_proj(child("out_proj"), config.hidden_size, config.hidden_size),
      num_heads_(config.num_attention_heads),
      causal_(config.causal) {}

at::Tensor ClipAttention::forward(const at::Tensor& x, const at::Tensor& residual) const {
  const ops::AttentionOptions options{.num_heads = num_heads_, .causal = causal_, .kernels = kernels()};
  return out_proj.forward(ops::attention(q_proj.forward(x), k_proj.forward(x), v_proj.forward(x), options),
                          {.residual = residual});
}

ClipMlp::ClipMlp(const nn::Place& place, const ClipLayerConfig& config)
    : Module(place),
      fc1(child("fc1"), config.hidden_size, config.intermediate_size),
      fc2(child("fc2"), config.intermediate_size, config.hidden_size),
      activation_(nn::parse_activation(config.hidden_act)) {}

at::Tensor ClipMlp::forward(const at::Tensor& x, const at::Tensor& residual) const {
  return fc2.forward(fc1.forward(x, {.activation = activation_}), {.residual = residual});
}

ClipEncoderLayer::ClipEncoderLayer(const nn::Place& place, const ClipLayerConfig& config)
    : Module(place),
      self_attn(child("self_attn"), config),
      layer_norm1(child("layer_norm1"), config.hidden_size, config.layer_norm_eps),
      mlp(child("mlp"), config),
      layer_norm2(child("layer_norm2"), config.hidden_size, config.layer_norm_eps) {}

at::Tensor ClipEncoderLayer::forward(const at::Tensor& x) const {
  const auto hidden = self_attn.forward(layer_norm1.forward(x), x);
  return mlp.forward(layer_norm2.forward(hidden), hidden);
}

}  // namespace fjord::models
