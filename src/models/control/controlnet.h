// A copy of a U-Net's way down that sees a picture besides and says what to add to the U-Net's feature maps.
// Reference: diffusers ControlNetModel; arXiv:2302.05543.
#pragma once

#include "config/control.h"
#include "models/unet/unet_trunk.h"

namespace fjord::models {

// Brings the picture to the size of the latents. Reference: ControlNetConditioningEmbedding.
class ControlNetConditioningEmbedding : public nn::Module {
 public:
  ControlNetConditioningEmbedding(const nn::Place& place, const config::ControlNet& config);

  // [batch, conditioning_channels, 8 * height, 8 * width] -> [batch, block_out_channels[0], height, width]
  at::Tensor forward(const at::Tensor& picture) const;

  nn::Conv2d conv_in;
  nn::ModuleList<nn::Conv2d> blocks;
  nn::Conv2d conv_out;
};

// How loud a ControlNet is.
struct ControlVolume {
  double scale = 1.0;
  bool guesses = false;  // from a tenth of it for the first map to the whole for the bottom
};

class ControlNetModel : public UNetTrunk {
 public:
  // Throws kUnsupported for block types or options that fjord does not have.
  ControlNetModel(const config::ControlNet& config, const at::TensorOptions& options);

  // What forward() takes of a picture, which is the same at every evaluation. picture: [batch, conditioning_channels,
  // height, width] in 0..1, the red channel first.
  at::Tensor embed(const at::Tensor& picture) const;
  // What to add to the maps of a U-Net that has the same way down. `embedded`: as many rows as the sample, or one.
  // Where input.shortcuts.reuse_deep is set, the maps that the U-Net leaves out are left out.
  ControlSignals forward(const UNetInput& input, const at::Tensor& embedded, const ControlVolume& volume = {}) const;
  // How many maps forward() gives, without the bottom's.
  size_t skip_connections() const { return controlnet_down_blocks.size(); }

  const config::ControlNet& control_config() const { return control_config_; }

  ControlNetConditioningEmbedding controlnet_cond_embedding;
  nn::ModuleList<nn::Conv2d> controlnet_down_blocks;
  nn::Conv2d controlnet_mid_block;

 private:
  at::Tensor heard(const at::Tensor& map, double scale) const;

  config::ControlNet control_config_;
};

}  // namespace fjord::models
