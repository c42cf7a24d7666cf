// The self-attention layers of a U-Net by their names.
#pragma once

#include "models/unet/unet_2d_condition.h"

#include <string>
#include <unordered_set>
#include <vector>

namespace fjord::models {

// Those whose name in the checkpoint ("mid_block.attentions.0.transformer_blocks.0.attn1") contains one of `parts`.
// Throws Error(kInvalidArgument) for a part that no name contains.
std::unordered_set<const Attention*> self_attentions(const UNet2DConditionModel& unet,
                                                     const std::vector<std::string>& parts);

}  // namespace fjord::models
