#include "models/vae/vae_mid_block.h"

#include "ops/cpu_tensors.h"

#include <utility>

namespace fjord::models {
namespace {

constexpr double kNormEps = 1e-6;

}  // namespace

ResnetConfig vae_resnet_config(const config::Vae& config, std::int64_t in_channels, std::int64_t out_channels) {
  return {.in_channels = in_channels,
          .out_channels = out_channels,
          .groups = config.norm_num_groups,
          .eps = kNormEps,
          .act_fn = config.act_fn};
}

VaeAttention::VaeAttention(const nn::Place& place, std::int64_t channels, std::int64_t groups)
    : Attention(place, {.query_dim = channels, .context_dim = channels, .head_dim = channels, .qkv_bias = true}),
      group_norm(child("group_norm"), groups, channels, kNormEps) {}

at::Tensor VaeAttention::forward(const at::Tensor& x) const {
  const auto tokens = ops::to_pixels(group_norm.forward(x));
  return ops::to_map(forward_self(tokens, ops::to_pixels(x)), x.sizes());
}

VaeMidBlock::VaeMidBlock(const nn::Place& place, const config::Vae& config, std::int64_t channels)
    : Module(place), attentions(child("attentions")), resnets(child("resnets")) {
  const auto resnet = vae_resnet_config(config, channels, channels);
  resnets.append(resnet);
  if (config.mid_block_add_attention) attentions.append(channels, config.norm_num_groups);
  resnets.append(resnet);
}

at::Tensor VaeMidBlock::forward(const at::Tensor& x) const {
  auto hidden = resnets[0].forward(x, {});
  for (const auto& attention : attentions) hidden = attention->forward(hidden);
  return resnets[1].forward(std::move(hidden), {});
}

}  // namespace fjord::models
