// The denoising U-Net. Built from config.json alone; the names of its parts are the checkpoint's keys.
// Reference: diffusers UNet2DConditionModel; arXiv:2112.10752.
#pragma once

#include "models/unet/unet_trunk.h"
#include "models/unet/up_block.h"

#include <optional>

namespace fjord::models {

class UNet2DConditionModel : public UNetTrunk {
 public:
  // Throws kUnsupported for block types or options that fjord does not have.
  UNet2DConditionModel(const config::UNet& config, const at::TensorOptions& options);

  // -> [batch, out_channels, height, width], the model's prediction (noise, velocity or sample).
  at::Tensor forward(const UNetInput& input) const;

  // Fills input.memory with all that forward() would keep there of text and timesteps. The memory foresees
  // input.timestep.
  void remember(const UNetInput& input) const;

  // How many feature maps go from the way down to the way up: that of conv_in and one of every layer.
  size_t skip_connections() const;

 private:
  UNetBlockConfig up_config(size_t step) const;
  at::Tensor run_bottom(at::Tensor hidden, const UNetInput& input, const LayerContext& context) const;
  at::Tensor run_up_blocks(at::Tensor hidden, const LayerContext& context, std::vector<at::Tensor>& skips,
                           bool explicit_sizes) const;

 public:
  nn::ModuleList<UpBlock2D> up_blocks;
  std::optional<nn::GroupNorm> conv_norm_out;
  nn::Conv2d conv_out;
};

}  // namespace fjord::models
