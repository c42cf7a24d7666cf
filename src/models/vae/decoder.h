// Latents to pixels. Reference: diffusers Decoder, UpDecoderBlock2D.
#pragma once

#include "models/common/resample.h"
#include "models/vae/vae_mid_block.h"

namespace fjord::models {

class UpDecoderBlock2D : public nn::Module {
 public:
  // Step 0 of the way up stands at the deepest level.
  UpDecoderBlock2D(const nn::Place& place, const config::Vae& config, size_t step);
  at::Tensor forward(at::Tensor hidden) const;

  nn::ModuleList<ResnetBlock2D> resnets;
  nn::ModuleList<Upsample2D> upsamplers;  // one, none at the last level
};

class Decoder : public nn::Module {
 public:
  Decoder(const nn::Place& place, const config::Vae& config);
  // [batch, latent_channels, height, width] -> [batch, out_channels, height*factor, width*factor], about -1..1.
  at::Tensor forward(const at::Tensor& z) const;

  nn::Conv2d conv_in;
  VaeMidBlock mid_block;
  nn::ModuleList<UpDecoderBlock2D> up_blocks;
  nn::GroupNorm conv_norm_out;
  nn::Conv2d conv_out;

 private:
  nn::Activation activation_;
};

}  // namespace fjord::models
