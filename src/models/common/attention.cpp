#include "models/common/attention.h"

#include "ops/attention.h"

#include <ATen/ops/matmul.h>

#include <cmath>

namespace fjord::models {

Attention::Attention(const nn::Place& place, const AttentionConfig& config)
    : Module(place),
      to_q(child("to_q"), config.query_dim, config.num_heads * config.head_dim, config.qkv_bias),
      to_k(child("to_k"), config.context_dim, config.num_heads * config.head_dim, config.qkv_bias),
      to_v(child("to_v"), config.context_dim, config.num_heads * config.head_dim, config.qkv_bias),
      to_out_0(child("to_out.0"), config.num_heads * config.head_dim, config.query_dim),
      config_(config) {}

KeysAndValues Attention::keys_and_values(const at::Tensor& context) const {
  return {to_k.forward(context), to_v.forward(context)};
}

at::Tensor Attention::attend(const at::Tensor& queries, const KeysAndValues& context) const {
  const ops::AttentionOptions options{
      .num_heads = config_.num_heads, .float32 = config_.upcast, .kernels = kernels(), .cuda_kernel = cuda_kernel_};
  return ops::attention(queries, context.keys, context.values, options);
}

at::Tensor Attention::forward(const at::Tensor& x, const KeysAndValues& context, const at::Tensor& residual,
                              const std::vector<FurtherContext>& further) const {
  const auto queries = to_q.forward(x);
  auto mixed = attend(queries, context);
  for (const auto& [other, scale, mask] : further) {
    const auto answer = attend(queries, other);
    mixed = mixed + scale * (mask.defined() ? answer * mask : answer);
  }
  return to_out_0.forward(mixed, {.residual = residual});
}

at::Tensor Attention::forward_apart(const at::Tensor& x, const at::Tensor& residual) const {
  return to_out_0.forward(to_v.forward(x), {.residual = residual});
}

at::Tensor Attention::weights(const at::Tensor& x, const at::Tensor& keys) const {
  const auto by_head = [this](const at::Tensor& features) {
    return features.to(at::kFloat).unflatten(2, {config_.num_heads, config_.head_dim}).transpose(1, 2);
  };
  const auto scores = at::matmul(by_head(to_q.forward(x)), by_head(keys).transpose(2, 3));
  const double scale = 1 / std::sqrt(static_cast<double>(config_.head_dim));
  return (scores * scale).softmax(-1).mean(1).transpose(1, 2);
}

}  // namespace fjord::models
