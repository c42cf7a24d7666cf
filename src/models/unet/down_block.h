// One level of the U-Net's way down. Reference: diffusers DownBlock2D, CrossAttnDownBlock2D.
#pragma once

#include "models/common/resample.h"
#include "models/unet/block_config.h"

#include <vector>

namespace fjord::models {

class DownBlock2D : public nn::Module {
 public:
  DownBlock2D(const nn::Place& place, const UNetBlockConfig& config);

  // x: [batch, in_channels, height, width] -> [batch, out_channels, height/2, width/2]. Every layer's output is
  // appended to `skips`; where the context says that these are enough, the rest is left out. `added` (may be undefined)
  // is added to the last layer's output; in a block without transformers to the block's, which may be smaller.
  at::Tensor forward(const at::Tensor& x, const LayerContext& context, std::vector<at::Tensor>& skips,
                     const at::Tensor& added = {}) const;

  nn::ModuleList<Transformer2DModel> attentions;  // empty, or one per layer
  nn::ModuleList<ResnetBlock2D> resnets;
  nn::ModuleList<Downsample2D> downsamplers;  // none or one
};

}  // namespace fjord::models
