#include "models/common/basic_transformer_block.h"

namespace fjord::models {
namespace {

AttentionConfig attention_config(const TransformerBlockConfig& config, bool cross) {
  return {.query_dim = config.dim,
          .context_dim = cross ? config.cross_attention_dim : config.dim,
          .num_heads = config.num_heads,
          .head_dim = config.head_dim,
          .upcast = config.upcast_attention};
}

}  // namespace

BasicTransformerBlock::BasicTransformerBlock(const nn::Place& place, const TransformerBlockConfig& config)
    : Module(place),
      norm1(child("norm1"), config.dim),
      attn1(child("attn1"), attention_config(config, config.only_cross_attention)),
      norm2(child("norm2"), config.dim),
      attn2(child("attn2"), attention_config(config, true)),
      norm3(child("norm3"), config.dim),
      ff(child("ff"), config.dim),
      only_cross_attention_(config.only_cross_attention) {}

at::Tensor BasicTransformerBlock::forward(const at::Tensor& x, const at::Tensor& context) const {
  const auto normed = norm1.forward(x);
  auto hidden = attn1.forward(normed, only_cross_attention_ ? context : normed, x);
  hidden = attn2.forward(norm2.forward(hidden), context, hidden);
  return ff.forward(norm3.forward(hidden), hidden);
}

}  // namespace fjord::models
