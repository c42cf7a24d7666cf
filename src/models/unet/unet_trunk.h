// What a U-Net and a ControlNet have in common: the first convolution, what becomes of timestep and conditions, the way
// down and the bottom. Reference: diffusers UNet2DConditionModel, ControlNetModel; arXiv:2112.10752.
#pragma once

#include "config/unet.h"
#include "models/unet/conditioning_embedding.h"
#include "models/unet/down_block.h"
#include "models/unet/mid_block.h"
#include "models/unet/timestep_embedding.h"
#include "models/unet/unet_input.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fjord::models {

class UNetTrunk : public nn::Module {
 public:
  const config::UNet& config() const { return config_; }

 protected:
  // Throws kUnsupported for block types or options that fjord does not have.
  UNetTrunk(const config::UNet& config, const at::TensorOptions& options);

  LayerContext layer_context(const UNetInput& input) const;
  // From conv_in's result to the last map of the way down. Every feature map that goes over to the way up, conv_in's
  // first, is appended to `skips`. `levels`: what is added level by level (ControlSignals), may be empty.
  at::Tensor run_down_blocks(at::Tensor hidden, const LayerContext& context, const std::vector<at::Tensor>& levels,
                             std::vector<at::Tensor>& skips) const;

  // What blocks of a level have in common.
  UNetBlockConfig level_config(size_t level) const;
  // Whether the block type attends to the text; throws for types that fjord does not have.
  static bool has_attention(const std::string& type, std::string_view attending, std::string_view plain);
  // One number for all layers of a level, or one per layer.
  static std::vector<std::int64_t> per_layer(const std::vector<std::int64_t>& numbers, std::int64_t layers);

 private:
  size_t finest_attention() const;
  UNetBlockConfig down_config(size_t level) const;
  UNetBlockConfig mid_config() const;
  void build_time_embedding();
  at::Tensor time_features(const UNetInput& input) const;
  at::Tensor text_time_features(const UNetInput& input) const;
  at::Tensor project_text(const at::Tensor& text) const;

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
};

}  // namespace fjord::models
