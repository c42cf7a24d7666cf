// Transformer blocks over the pixels of a feature map. Reference: diffusers Transformer2DModel (continuous input).
#pragma once

#include "models/common/basic_transformer_block.h"

#include <optional>

namespace fjord::models {

struct Transformer2DConfig {
  std::int64_t channels = 0;
  std::int64_t num_layers = 1;
  std::int64_t num_heads = 1;
  std::int64_t cross_attention_dim = 0;
  std::int64_t norm_num_groups = 32;
  bool use_linear_projection = false;  // proj_in, proj_out as linear layers instead of 1x1 convolutions
  bool only_cross_attention = false;
  bool upcast_attention = false;
  bool rounded_attention = false;
  bool finest = false;  // at the finest resolution that has transformers; only there tokens are merged
};

class Transformer2DModel : public nn::Module {
 public:
  Transformer2DModel(const nn::Place& place, const Transformer2DConfig& config);

  // x: [batch, channels, height, width] -> likewise.
  at::Tensor forward(const at::Tensor& x, const LayerContext& context) const;

  nn::GroupNorm norm;
  std::optional<nn::Conv2d> conv_proj_in;  // both kinds have the key "proj_in"
  std::optional<nn::Linear> linear_proj_in;
  nn::ModuleList<BasicTransformerBlock> transformer_blocks;
  std::optional<nn::Conv2d> conv_proj_out;  // both kinds have the key "proj_out"
  std::optional<nn::Linear> linear_proj_out;

 private:
  bool finest_;
};

}  // namespace fjord::models
