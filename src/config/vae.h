// The fields of an AutoencoderKL's config.json, with diffusers' defaults. Reference: diffusers.AutoencoderKL.__init__.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fjord::config {

struct Vae {
  std::int64_t in_channels = 3;
  std::int64_t out_channels = 3;
  std::vector<std::string> down_block_types = {"DownEncoderBlock2D"};
  std::vector<std::string> up_block_types = {"UpDecoderBlock2D"};
  std::vector<std::int64_t> block_out_channels = {64};
  std::int64_t layers_per_block = 1;
  std::string act_fn = "silu";
  std::int64_t latent_channels = 4;
  std::int64_t norm_num_groups = 32;
  std::int64_t sample_size = 32;  // pixels
  double scaling_factor = 0.18215;
  std::optional<double> shift_factor;
  std::vector<double> latents_mean;  // per channel; empty: none
  std::vector<double> latents_std;
  bool force_upcast = true;
  bool use_quant_conv = true;
  bool use_post_quant_conv = true;
  bool mid_block_add_attention = true;
};

}  // namespace fjord::config
