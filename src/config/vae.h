// The fields of an AutoencoderKL's config.json, with diffusers' defaults. Reference: diffusers.AutoencoderKL.__init__.
#pragma once

#include "config/latent_space.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fjord::config {

struct Vae : LatentSpace {
  std::vector<std::string> down_block_types = {"DownEncoderBlock2D"};
  std::vector<std::string> up_block_types = {"UpDecoderBlock2D"};
  std::vector<std::int64_t> block_out_channels = {64};
  std::int64_t layers_per_block = 1;
  std::string act_fn = "silu";
  std::int64_t norm_num_groups = 32;
  std::int64_t sample_size = 32;       // pixels
  std::optional<double> shift_factor;  // the pipelines of U-Nets do not look at it
  bool use_quant_conv = true;
  bool use_post_quant_conv = true;
  bool mid_block_add_attention = true;
};

}  // namespace fjord::config
