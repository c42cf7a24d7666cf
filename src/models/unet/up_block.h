// One level of the U-Net's way up. Reference: diffusers UpBlock2D, CrossAttnUpBlock2D.
#pragma once

#include "models/common/resample.h"
#include "models/unet/block_config.h"

#include <vector>

namespace fjord::models {

class UpBlock2D : public nn::Module {
 public:
  UpBlock2D(const nn::Place& place, const UNetBlockConfig& config);

  // x: [batch, previous_channels, height, width] -> [batch, out_channels, 2*height, 2*width], or at `upsample_size`.
  // Takes one skip per layer from the end of `skips`. temb and context as in DownBlock2D.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& temb, const at::Tensor& context,
                     std::vector<at::Tensor>& skips, const std::optional<ImageSize>& upsample_size) const;

  nn::ModuleList<Transformer2DModel> attentions;  // empty, or one per layer
  nn::ModuleList<ResnetBlock2D> resnets;
  nn::ModuleList<Upsample2D> upsamplers;  // none or one
};

}  // namespace fjord::models
