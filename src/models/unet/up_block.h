// One level of the U-Net's way up. Reference: diffusers UpBlock2D, CrossAttnUpBlock2D.
#pragma once

#include "models/common/resample.h"
#include "models/unet/block_config.h"

#include <vector>

namespace fjord::models {

// How an up block is run.
struct UpWay {
  size_t step = 0;                     // levels of the way up before this one
  size_t first_layer = 0;              // layers before it are left out; `x` is then what that layer takes
  std::optional<ImageSize> size = {};  // of the result; without, twice the size
};

class UpBlock2D : public nn::Module {
 public:
  UpBlock2D(const nn::Place& place, const UNetBlockConfig& config);

  // x: [batch, previous_channels, height, width] -> [batch, out_channels, 2*height, 2*width] or `way.size`.
  // Takes one skip per layer from the end of `skips`.
  at::Tensor forward(const at::Tensor& x, const LayerContext& context, std::vector<at::Tensor>& skips,
                     const UpWay& way) const;

  nn::ModuleList<Transformer2DModel> attentions;  // empty, or one per layer
  nn::ModuleList<ResnetBlock2D> resnets;
  nn::ModuleList<Upsample2D> upsamplers;  // none or one
};

}  // namespace fjord::models
