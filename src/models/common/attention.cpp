#include "models/common/attention.h"

#include "core/cuda_plugin.h"
#include "ops/attention.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>

#include <array>
#include <cmath>

namespace fjord::models {
namespace {

// Whether x begins at a row of `joined`; both may be undefined.
bool lies_in(const at::Tensor& x, const at::Tensor& joined, std::int64_t row) {
  if (!x.defined() || !joined.defined()) return x.defined() == joined.defined();
  const auto bytes = row * joined.stride(0) * static_cast<std::int64_t>(joined.element_size());
  return x.const_data_ptr() == static_cast<const char*>(joined.const_data_ptr()) + bytes;
}

}  // namespace

Attention::Attention(const nn::Place& place, const AttentionConfig& config)
    : Module(place),
      to_q(child("to_q"), config.query_dim, config.num_heads * config.head_dim, config.qkv_bias),
      to_k(child("to_k"), config.context_dim, config.num_heads * config.head_dim, config.qkv_bias),
      to_v(child("to_v"), config.context_dim, config.num_heads * config.head_dim, config.qkv_bias),
      to_out_0(child("to_out.0"), config.num_heads * config.head_dim, config.query_dim),
      config_(config) {}

void Attention::join_projections() {
  const bool self = config_.context_dim == config_.query_dim;
  std::vector<nn::Linear*> layers{&to_k, &to_v};
  if (self) layers.insert(layers.begin(), &to_q);
  std::vector<at::Tensor> weights, biases;
  for (const auto* layer : layers) {
    weights.push_back(layer->weight);
    if (layer->bias.defined()) biases.push_back(layer->bias);
  }
  joined_ = at::cat(weights);
  if (!biases.empty()) joined_bias_ = at::cat(biases);
  for (size_t i = 0; i < layers.size(); ++i) {
    const auto first = static_cast<std::int64_t>(i) * inner_dim();
    layers[i]->weight = joined_.narrow(0, first, inner_dim());
    if (joined_bias_.defined()) layers[i]->bias = joined_bias_.narrow(0, first, inner_dim());
  }
}

// Of the last `count` of queries, keys and values, whether their weights still lie where they were joined and nothing
// is added to what they give: an adapter may have put others in their place.
bool Attention::is_joined(std::int64_t count) const {
  const auto parts = joined_.defined() ? joined_.size(0) / inner_dim() : 0;
  if (count > parts) return false;
  const std::array layers{&to_q, &to_k, &to_v};
  for (std::int64_t i = 3 - count; i < 3; ++i) {
    const auto& layer = *layers[static_cast<size_t>(i)];
    const auto first = (parts - 3 + i) * inner_dim();
    if (!layer.changes.empty() || !lies_in(layer.weight, joined_, first) || !lies_in(layer.bias, joined_bias_, first))
      return false;
  }
  return true;
}

std::vector<at::Tensor> Attention::joined_product(const at::Tensor& x, std::int64_t count) const {
  const auto rows = count * inner_dim(), first = joined_.size(0) - rows;
  const auto weight = joined_.narrow(0, first, rows);
  const auto bias = joined_bias_.defined() ? joined_bias_.narrow(0, first, rows) : at::Tensor();
  const auto* cuda = product_ops(x);
  const auto all = cuda != nullptr ? cuda->linear(x, weight, bias, product_sum({})) : at::linear(x, weight, bias);
  return all.split(inner_dim(), -1);
}

void Attention::share_packed(const Module& other) {
  const auto& attention = static_cast<const Attention&>(other);
  cuda_kernel_ = attention.cuda_kernel_;
  joined_ = attention.joined_;
  joined_bias_ = attention.joined_bias_;
}

KeysAndValues Attention::keys_and_values(const at::Tensor& context) const {
  if (!is_joined(2)) return {to_k.forward(context), to_v.forward(context)};
  const auto both = joined_product(context, 2);
  return {both[0], both[1]};
}

at::Tensor Attention::attend(const at::Tensor& queries, const KeysAndValues& context) const {
  const ops::AttentionOptions options{.num_heads = config_.num_heads,
                                      .float32 = config_.upcast,
                                      .rounded = config_.rounded,
                                      .kernels = kernels(),
                                      .cuda_kernel = cuda_kernel_};
  return ops::attention(queries, context.keys, context.values, options);
}

at::Tensor Attention::forward(const at::Tensor& x, const KeysAndValues& context, const at::Tensor& residual,
                              const std::vector<FurtherContext>& further) const {
  return answer(to_q.forward(x), context, residual, further);
}

at::Tensor Attention::forward_self(const at::Tensor& x, const at::Tensor& residual) const {
  if (!is_joined(3)) return forward(x, keys_and_values(x), residual);
  const auto all = joined_product(x, 3);
  return answer(all[0], {all[1], all[2]}, residual, {});
}

at::Tensor Attention::answer(const at::Tensor& queries, const KeysAndValues& context, const at::Tensor& residual,
                             const std::vector<FurtherContext>& further) const {
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
