#include "models/common/transformer_2d.h"

#include "ops/cpu_tensors.h"

namespace fjord::models {
namespace {

constexpr double kNormEps = 1e-6;  // unlike the 1e-5 of the residual blocks

}  // namespace

Transformer2DModel::Transformer2DModel(const nn::Place& place, const Transformer2DConfig& config)
    : Module(place),
      norm(child("norm"), config.norm_num_groups, config.channels, kNormEps),
      transformer_blocks(child("transformer_blocks")),
      finest_(config.finest) {
  const auto channels = config.channels;
  const TransformerBlockConfig block{.dim = channels,
                                     .num_heads = config.num_heads,
                                     .head_dim = channels / config.num_heads,
                                     .cross_attention_dim = config.cross_attention_dim,
                                     .only_cross_attention = config.only_cross_attention,
                                     .upcast_attention = config.upcast_attention,
                                     .rounded_attention = config.rounded_attention};
  for (std::int64_t i = 0; i < config.num_layers; ++i) transformer_blocks.append(block);
  if (config.use_linear_projection) {
    linear_proj_in.emplace(child("proj_in"), channels, channels);
    linear_proj_out.emplace(child("proj_out"), channels, channels);
  } else {
    conv_proj_in.emplace(child("proj_in"), channels, channels, nn::Conv2dOptions{.kernel = 1});
    conv_proj_out.emplace(child("proj_out"), channels, channels, nn::Conv2dOptions{.kernel = 1});
  }
}

at::Tensor Transformer2DModel::forward(const at::Tensor& x, const LayerContext& context) const {
  const MergeGrid grid{x.size(2), x.size(3), finest_ ? context.shortcuts.merge_ratio : 0};
  const auto normed = norm.forward(x);
  auto hidden =
      linear_proj_in ? linear_proj_in->forward(ops::to_pixels(normed)) : ops::to_pixels(conv_proj_in->forward(normed));
  for (const auto& block : transformer_blocks) hidden = block->forward(hidden, context, grid);
  if (linear_proj_out) return ops::to_map(linear_proj_out->forward(hidden, {.residual = ops::to_pixels(x)}), x.sizes());
  return conv_proj_out->forward(ops::to_map(hidden, x.sizes()), {.residual = x});
}

}  // namespace fjord::models
