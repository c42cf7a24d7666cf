// The fields of an AutoencoderTiny's config.json, with diffusers' defaults.
// Reference: diffusers.AutoencoderTiny.__init__.
#pragma once

#include "config/latent_space.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fjord::config {

struct TinyVae : LatentSpace {
  TinyVae() {
    scaling_factor = 1.0;
    force_upcast = false;
  }
  std::vector<std::int64_t> encoder_block_out_channels = {64, 64, 64, 64};
  std::vector<std::int64_t> decoder_block_out_channels = {64, 64, 64, 64};
  std::vector<std::int64_t> num_encoder_blocks = {1, 3, 3, 3};
  std::vector<std::int64_t> num_decoder_blocks = {3, 3, 3, 1};
  std::string act_fn = "relu";
};

}  // namespace fjord::config
