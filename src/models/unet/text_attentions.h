// The layers of a U-Net that attend to the text.
#pragma once

#include "models/unet/unet_2d_condition.h"

#include <string>
#include <vector>

namespace fjord::models {

struct TextAttention {
  std::string name;  // in the checkpoint: "down_blocks.0.attentions.0.transformer_blocks.0.attn2"
  const Attention* layer = nullptr;
};

// In the order in which IP-Adapters count them: the way down, the way up, the middle.
// Reference: UNet2DConditionModel.attn_processors.
std::vector<TextAttention> text_attentions(const UNet2DConditionModel& unet);

}  // namespace fjord::models
