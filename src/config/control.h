// The fields of a ControlNetModel's and a T2IAdapter's config.json that change what the networks compute, with
// diffusers' defaults. Reference: diffusers.ControlNetModel.__init__, diffusers.T2IAdapter.__init__.
#pragma once

#include "config/unet.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fjord::config {

struct ControlNet {
  UNet unet;  // of its way down and its bottom; what lies above is not there
  std::int64_t conditioning_channels = 3;
  bool reversed_channels = false;  // controlnet_conditioning_channel_order "bgr"
  std::vector<std::int64_t> conditioning_embedding_out_channels = {16, 32, 96, 256};
  bool global_pool_conditions = false;
};

struct T2IAdapter {
  std::int64_t in_channels = 3;
  std::vector<std::int64_t> channels = {320, 640, 1280, 1280};
  std::int64_t num_res_blocks = 2;
  std::int64_t downscale_factor = 8;
  std::string adapter_type = "full_adapter";  // full_adapter | full_adapter_xl | light_adapter
};

}  // namespace fjord::config
