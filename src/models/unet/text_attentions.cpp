#include "models/unet/text_attentions.h"

#include "core/check.h"

namespace fjord::models {
namespace {

void append(std::vector<TextAttention>& layers, const std::string& block,
            const nn::ModuleList<Transformer2DModel>& transformers) {
  for (size_t i = 0; i < transformers.size(); ++i) {
    const auto& blocks = transformers[i].transformer_blocks;
    for (size_t j = 0; j < blocks.size(); ++j) {
      layers.push_back({concat(block, ".attentions.", i, ".transformer_blocks.", j, ".attn2"), &blocks[j].attn2});
    }
  }
}

}  // namespace

std::vector<TextAttention> text_attentions(const UNet2DConditionModel& unet) {
  std::vector<TextAttention> layers;
  for (size_t i = 0; i < unet.down_blocks.size(); ++i) {
    append(layers, concat("down_blocks.", i), unet.down_blocks[i].attentions);
  }
  for (size_t i = 0; i < unet.up_blocks.size(); ++i) {
    append(layers, concat("up_blocks.", i), unet.up_blocks[i].attentions);
  }
  if (unet.mid_block) append(layers, "mid_block", unet.mid_block->attentions);
  return layers;
}

}  // namespace fjord::models
