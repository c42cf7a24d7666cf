// The fields of a UNet2DConditionModel's config.json that change what the network computes, with diffusers' defaults.
// Reference: diffusers.UNet2DConditionModel.__init__.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fjord::config {

// Lists that may be written as one number in the file are stored expanded: one entry per level of the U.
struct UNet {
  std::vector<std::int64_t> sample_size;  // latent height and width, or one number for both; may be empty
  std::int64_t in_channels = 4;
  std::int64_t out_channels = 4;
  bool center_input_sample = false;
  bool flip_sin_to_cos = true;
  double freq_shift = 0;
  std::vector<std::string> down_block_types = {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
                                               "DownBlock2D"};
  std::optional<std::string> mid_block_type = "UNetMidBlock2DCrossAttn";  // none: no mid block
  std::vector<std::string> up_block_types = {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
                                             "CrossAttnUpBlock2D"};
  std::vector<bool> only_cross_attention = {false, false, false, false};
  bool mid_block_only_cross_attention = false;
  std::vector<std::int64_t> block_out_channels = {320, 640, 1280, 1280};
  std::vector<std::int64_t> layers_per_block = {2, 2, 2, 2};
  std::int64_t downsample_padding = 1;
  double mid_block_scale_factor = 1;
  std::string act_fn = "silu";                       // silu | swish | mish | gelu | relu
  std::optional<std::int64_t> norm_num_groups = 32;  // none: no group norm before conv_out
  double norm_eps = 1e-5;
  std::vector<std::int64_t> cross_attention_dim = {1280, 1280, 1280, 1280};
  std::vector<std::vector<std::int64_t>> transformer_layers_per_block = {
      {1}, {1}, {1}, {1}};  // one number, or one per layer
  // Per up block, one number or one per layer; empty: the down blocks' numbers reversed.
  std::vector<std::vector<std::int64_t>> reverse_transformer_layers_per_block;
  std::optional<std::string> encoder_hid_dim_type;  // text_proj
  std::optional<std::int64_t> encoder_hid_dim;
  // Number of heads per level: the file's num_attention_heads, or for historic reasons its attention_head_dim.
  std::vector<std::int64_t> num_attention_heads = {8, 8, 8, 8};
  bool dual_cross_attention = false;
  bool use_linear_projection = false;
  std::optional<std::string> class_embed_type;     // timestep | identity | projection | simple_projection
  std::optional<std::string> addition_embed_type;  // text_time
  std::optional<std::int64_t> addition_time_embed_dim;
  std::optional<std::int64_t> num_class_embeds;
  bool upcast_attention = false;
  std::string resnet_time_scale_shift = "default";  // default | scale_shift
  bool resnet_skip_time_act = false;
  double resnet_out_scale_factor = 1.0;
  std::string time_embedding_type = "positional";  // positional | fourier
  std::optional<std::int64_t> time_embedding_dim;
  std::optional<std::string> time_embedding_act_fn;
  std::optional<std::string> timestep_post_act;
  std::optional<std::int64_t> time_cond_proj_dim;
  std::int64_t conv_in_kernel = 3;
  std::int64_t conv_out_kernel = 3;
  std::optional<std::int64_t> projection_class_embeddings_input_dim;
  bool class_embeddings_concat = false;

  // Weights are int8 ("quantization_config"), and inputs of linear layers and of self-attention are rounded too.
  bool round_inputs = false;
};

}  // namespace fjord::config
