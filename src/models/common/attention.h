// Multi-head attention with its projections. Reference: diffusers.models.attention_processor.Attention.
#pragma once

#include "nn/layers.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fjord::models {

struct AttentionConfig {
  std::int64_t query_dim = 0;
  std::int64_t context_dim = 0;  // features of the tokens attended to; equal to query_dim for self-attention
  std::int64_t num_heads = 1;
  std::int64_t head_dim = 64;
  bool qkv_bias = false;
  bool upcast = false;   // scores and softmax in float32
  bool rounded = false;  // see ops::AttentionOptions
};

// What is attended to, as a layer sees it: [batch, tokens, num_heads * head_dim] each.
struct KeysAndValues {
  at::Tensor keys;
  at::Tensor values;
};

// Something that is attended to beside the first, with the same queries: its answer is added. Decoupled
// cross-attention, arXiv:2308.06721.
struct FurtherContext {
  KeysAndValues context;
  double scale = 1.0;
  at::Tensor mask = {};  // [1, queries, 1], a factor of the answer; undefined: none
};

class Attention : public nn::Module {
 public:
  Attention(const nn::Place& place, const AttentionConfig& config);

  // context: [batch, context_tokens, context_dim].
  KeysAndValues keys_and_values(const at::Tensor& context) const;
  // x: [batch, tokens, query_dim] -> [batch, tokens, query_dim], to which `residual` is added.
  at::Tensor forward(const at::Tensor& x, const KeysAndValues& context, const at::Tensor& residual = {},
                     const std::vector<FurtherContext>& further = {}) const;

  // The same where the tokens attend to one another; where the projections are joined, one product makes queries, keys
  // and values.
  at::Tensor forward_self(const at::Tensor& x, const at::Tensor& residual) const;
  // Lays the weights that work on the same tokens side by side, so that one product on a GPU serves for all: queries,
  // keys and values of a self-attention, else keys and values. Once they have been read.
  void join_projections();

  // What forward() gives where every token sees itself only.
  at::Tensor forward_apart(const at::Tensor& x, const at::Tensor& residual) const;
  // The weights that the softmax gives to each token of `keys`, mean of the heads: float32 [batch, context_tokens,
  // tokens].
  at::Tensor weights(const at::Tensor& x, const at::Tensor& keys) const;
  // Features of queries, keys and values.
  std::int64_t inner_dim() const { return config_.num_heads * config_.head_dim; }
  // What computes on a GPU, by a name of kernels/cuda/attention_choice.h; before the first forward.
  void use_cuda_kernel(std::string name) { cuda_kernel_ = std::move(name); }

  nn::Linear to_q, to_k, to_v;
  nn::Linear to_out_0;  // "to_out.0"

 private:
  at::Tensor attend(const at::Tensor& queries, const KeysAndValues& context) const;
  at::Tensor answer(const at::Tensor& queries, const KeysAndValues& context, const at::Tensor& residual,
                    const std::vector<FurtherContext>& further) const;
  std::vector<at::Tensor> joined_product(const at::Tensor& x, std::int64_t count) const;
  bool is_joined(std::int64_t count) const;
  void share_packed(const Module& other) override;

  AttentionConfig config_;
  std::string cuda_kernel_ = "auto";
  at::Tensor joined_;       // [2 or 3 * inner_dim, features]: to_v's weight last; undefined: each lies for itself
  at::Tensor joined_bias_;  // likewise, where they have biases
};

}  // namespace fjord::models
