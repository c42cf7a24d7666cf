// The denoising U-Net. Built from config.json alone; the names of its parts are the checkpoint's keys.
// Reference: diffusers UNet2DConditionModel; arXiv:2112.10752.
#pragma once

#include "config/unet.h"
#include "models/unet/conditioning_embedding.h"
#include "models/unet/down_block.h"
#include "models/unet/mid_block.h"
#include "models/unet/timestep_embedding.h"
#include "models/unet/unet_input.h"
#include "models/unet/up_block.h"

#include <optional>

namespace fjord::models {

class UNet2DConditionModel : public nn::Module {
 public:
  // Throws kUnsupported for block types or options that fjord does not have.
  UNet2DConditionModel(const config::UNet& config, const at::TensorOptions& options);

  // -> [batch, out_channels, height, width], the model's prediction (noise, velocity or sample).
  at::Tensor forward(const UNetInput& input) const;

  const config::UNet& config() const { return config_; }
  // How many feature maps go from the way down to the way up: that of conv_in and one of every layer.
  size_t skip_connections() const;

 private:
  UNetBlockConfig level_config(size_t level) const;
  size_t finest_attention() const;
  UNetBlockConfig down_config(size_t level) const;
  UNetBlockConfig mid_config() const;
  UNetBlockConfig up_config(size_t step) const;
  void build_time_embedding();
  void build_blocks();
  at::Tensor time_features(const UNetInput& input) const;
  at::Tensor text_time_features(const UNetInput& input) const;
  LayerContext layer_context(const UNetInput& input) const;
  at::Tensor project_text(const at::Tensor& text) const;
  at::Tensor run_up_blocks(at::Tensor hidden, const LayerContext& context, std::vector<at::Tensor>& skips,
                           bool explicit_sizes) const;

  config::UNet config_;
  std::int64_t time_dim_ = 0;

 public:
  nn::Conv2d conv_in;
  std::optional<GaussianFourierProjection> time_proj;
  std::optional<TimestepEmbedding> time_embedding;
  std::optional<ClassEmbedding> class_embedding;
  std::optional<TimestepEmbedding> add_embedding;
  std::optional<nn::Linear> encoder_hid_proj;
  nn::ModuleList<DownBlock2D> down_blocks;
  std::optional<UNetMidBlock2D> mid_block;
  nn::ModuleList<UpBlock2D> up_blocks;
  std::optional<nn::GroupNorm> conv_norm_out;
  nn::Conv2d conv_out;
};

}  // namespace fjord::models
