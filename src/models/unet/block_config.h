// What the blocks of one level of the U-Net are built from.
#pragma once

#include "models/common/resnet_block.h"
#include "models/common/transformer_2d.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace fjord::models {

struct UNetBlockConfig {
  ResnetConfig resnet;                             // channels are filled in per layer
  std::optional<Transformer2DConfig> transformer;  // none: a level without attention
  std::vector<std::int64_t> transformer_layers;    // transformer blocks of each layer
  std::int64_t num_layers = 1;
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::int64_t previous_channels = 0;  // up blocks: channels that come from below
  bool resample = true;                // false at the last level
  std::int64_t downsample_padding = 1;
};

}  // namespace fjord::models
