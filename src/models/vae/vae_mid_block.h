// The middle of the VAE's encoder and decoder: residual block, attention over all pixels, residual block.
// Reference: diffusers UNetMidBlock2D as the VAE uses it.
#pragma once

#include "config/vae.h"
#include "models/common/attention.h"
#include "models/common/resnet_block.h"

namespace fjord::models {

// The VAE's residual blocks have no time embedding and eps 1e-6.
ResnetConfig vae_resnet_config(const config::Vae& config, std::int64_t in_channels, std::int64_t out_channels);

// Single-head attention over pixels, behind a GroupNorm, added to its input. [batch, channels, height, width].
class VaeAttention : public Attention {
 public:
  VaeAttention(const nn::Place& place, std::int64_t channels, std::int64_t groups);
  at::Tensor forward(const at::Tensor& x) const;

  nn::GroupNorm group_norm;
};

class VaeMidBlock : public nn::Module {
 public:
  VaeMidBlock(const nn::Place& place, const config::Vae& config, std::int64_t channels);
  // [batch, channels, height, width] -> the same shape.
  at::Tensor forward(const at::Tensor& x) const;

  nn::ModuleList<VaeAttention> attentions;  // one, or none without mid_block_add_attention
  nn::ModuleList<ResnetBlock2D> resnets;
};

}  // namespace fjord::models
