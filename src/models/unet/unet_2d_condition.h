// The denoising U-Net. Built from config.json alone; the names of its parts are the checkpoint's keys.
// Reference: diffusers UNet2DConditionModel; arXiv:2112.10752.
#pragma once

#include "config/unet.h"
#include "models/unet/conditioning_embedding.h"
#include "models/unet/down_block.h"
#include "models/unet/mid_block.h"
#include "models/unet/timestep_embedding.h"
#include "models/unet/up_block.h"

#include <optional>

namespace fjord::models {

// What the U-Net looks at. Undefined tensors mean: not given.
struct UNetInput {
  at::Tensor sample;                 // [batch, in_channels, height, width], any size the U can halve and restore
  at::Tensor timesteps;              // float32 [batch]
  at::Tensor encoder_hidden_states;  // [batch, text_tokens, cross_attention_dim]
  at::Tensor timestep_cond = {};     // [batch, time_cond_proj_dim]
  at::Tensor class_labels = {};      // see ClassEmbedding
  at::Tensor text_embeds = {};       // [batch, features], addition_embed_type text_time
  at::Tensor time_ids = {};          // [batch, ids], likewise
};

class UNet2DConditionModel : public nn::Module {
 public:
  // Throws kUnsupported for block types or options that fjord does not have.
  UNet2DConditionModel(const config::UNet& config, const at::TensorOptions& options);

  // -> [batch, out_channels, height, width], the model's prediction (noise, velocity or sample).
  at::Tensor forward(const UNetInput& input) const;

  const config::UNet& config() const { return config_; }

 private:
  UNetBlockConfig level_config(size_t level) const;
  UNetBlockConfig down_config(size_t level) const;
  UNetBlockConfig mid_config() const;
  UNetBlockConfig up_config(size_t step) const;
  void build_time_embedding();
  void build_blocks();
  at::Tensor time_features(const UNetInput& input) const;
  at::Tensor text_time_features(const UNetInput& input) const;
  at::Tensor run_up_blocks(at::Tensor hidden, const at::Tensor& temb, const at::Tensor& context,
                           std::vector<at::Tensor>& skips, bool explicit_sizes) const;

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
