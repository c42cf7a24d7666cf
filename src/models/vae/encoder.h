// Pixels to the moments of the latent distribution. Reference: diffusers Encoder, DownEncoderBlock2D.
#pragma once

#include "models/common/resample.h"
#include "models/vae/vae_mid_block.h"

namespace fjord::models {

class DownEncoderBlock2D : public nn::Module {
 public:
  DownEncoderBlock2D(const nn::Place& place, const config::Vae& config, size_t level);
  at::Tensor forward(at::Tensor hidden) const;

  nn::ModuleList<ResnetBlock2D> resnets;
  nn::ModuleList<Downsample2D> downsamplers;  // one, none at the last level
};

class Encoder : public nn::Module {
 public:
  Encoder(const nn::Place& place, const config::Vae& config);
  // [batch, in_channels, height, width] -> [batch, 2 * latent_channels, height/factor, width/factor].
  at::Tensor forward(const at::Tensor& x) const;

  nn::Conv2d conv_in;
  nn::ModuleList<DownEncoderBlock2D> down_blocks;
  VaeMidBlock mid_block;
  nn::GroupNorm conv_norm_out;
  nn::Conv2d conv_out;

 private:
  nn::Activation activation_;
};

}  // namespace fjord::models
