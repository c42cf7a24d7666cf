// The bottom of the U. Reference: diffusers UNetMidBlock2DCrossAttn, and UNetMidBlock2D as the U-Net uses it.
#pragma once

#include "models/unet/block_config.h"

namespace fjord::models {

class UNetMidBlock2D : public nn::Module {
 public:
  // Without a transformer it is one residual block; with one: residual block, transformer, residual block.
  UNetMidBlock2D(const nn::Place& place, const UNetBlockConfig& config);

  // [batch, channels, height, width] -> likewise.
  at::Tensor forward(const at::Tensor& x, const LayerContext& context) const;

  nn::ModuleList<Transformer2DModel> attentions;
  nn::ModuleList<ResnetBlock2D> resnets;
};

}  // namespace fjord::models
