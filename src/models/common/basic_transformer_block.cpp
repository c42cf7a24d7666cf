#include "models/common/basic_transformer_block.h"

#include <ATen/ops/cat.h>

#include <array>

namespace fjord::models {
namespace {

AttentionConfig attention_config(const TransformerBlockConfig& config, bool cross) {
  return {.query_dim = config.dim,
          .context_dim = cross ? config.cross_attention_dim : config.dim,
          .num_heads = config.num_heads,
          .head_dim = config.head_dim,
          .upcast = config.upcast_attention,
          .rounded = config.rounded_attention && !cross};
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

// x + self-attention(norm1(x))
at::Tensor BasicTransformerBlock::add_pixels(const at::Tensor& x, const MergeGrid& grid) const {
  const auto normed = norm1.forward(x);
  if (grid.merged() == 0) return attn1.forward_self(normed, x);
  const TokenMerging merging(x, grid);
  const auto merged = merging.merge(normed);
  return x + merging.unmerge(attn1.forward_self(merged, {}));
}

// Likewise, but in the last `perturbed` rows of the batch every pixel sees itself only.
at::Tensor BasicTransformerBlock::add_perturbed_pixels(const at::Tensor& x, const MergeGrid& grid,
                                                       std::int64_t perturbed) const {
  if (perturbed == 0) return add_pixels(x, grid);
  const auto own = x.narrow(0, 0, x.size(0) - perturbed);
  const auto apart = x.narrow(0, x.size(0) - perturbed, perturbed);
  return at::cat({add_pixels(own, grid), attn1.forward_apart(norm1.forward(apart), apart)});
}

at::Tensor BasicTransformerBlock::forward(const at::Tensor& x, const LayerContext& context,
                                          const MergeGrid& grid) const {
  const std::array<std::int64_t, 2> size{grid.height, grid.width};
  auto hidden = only_cross_attention_ ? context.add_text(attn1, norm1, x, size)
                                      : add_perturbed_pixels(x, grid, context.changes.perturbed_rows_of(attn1));
  context.note_text(attn2, norm2, hidden, size);
  hidden = context.add_text(attn2, norm2, hidden, size);
  return ff.forward(norm3.forward(hidden), hidden);
}

}  // namespace fjord::models
