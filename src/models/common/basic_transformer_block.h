// Self-attention, cross-attention and MLP, each behind a LayerNorm. Reference: diffusers BasicTransformerBlock.
#pragma once

#include "models/common/attention.h"
#include "models/common/feed_forward.h"
#include "models/common/layer_context.h"
#include "models/common/token_merging.h"

namespace fjord::models {

struct TransformerBlockConfig {
  std::int64_t dim = 0;
  std::int64_t num_heads = 1;
  std::int64_t head_dim = 64;
  std::int64_t cross_attention_dim = 0;
  bool only_cross_attention = false;  // attn1 attends to the text as well
  bool upcast_attention = false;
  bool rounded_attention = false;  // of pixels to one another: whole numbers where that is faster
};

class BasicTransformerBlock : public nn::Module {
 public:
  BasicTransformerBlock(const nn::Place& place, const TransformerBlockConfig& config);

  // x: [batch, height * width, dim] -> likewise. Self-attention merges pixels of the grid by its ratio.
  at::Tensor forward(const at::Tensor& x, const LayerContext& context, const MergeGrid& grid) const;

  nn::LayerNorm norm1;
  Attention attn1;
  nn::LayerNorm norm2;
  Attention attn2;
  nn::LayerNorm norm3;
  FeedForward ff;

 private:
  at::Tensor add_pixels(const at::Tensor& x, const MergeGrid& grid) const;
  at::Tensor add_perturbed_pixels(const at::Tensor& x, const MergeGrid& grid, std::int64_t perturbed) const;

  bool only_cross_attention_;
};

}  // namespace fjord::models
