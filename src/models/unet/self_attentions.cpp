#include "models/unet/self_attentions.h"

#include "core/check.h"

namespace fjord::models {
namespace {

struct NamedLayer {
  std::string name;
  const Attention* layer;
};

// Of the transformers of one block.
void append_layers(std::vector<NamedLayer>& layers, const std::string& block,
                   const nn::ModuleList<Transformer2DModel>& transformers) {
  for (size_t i = 0; i < transformers.size(); ++i) {
    const auto& blocks = transformers[i].transformer_blocks;
    for (size_t j = 0; j < blocks.size(); ++j) {
      layers.push_back({concat(block, ".attentions.", i, ".transformer_blocks.", j, ".attn1"), &blocks[j].attn1});
    }
  }
}

std::vector<NamedLayer> all_layers(const UNet2DConditionModel& unet) {
  std::vector<NamedLayer> layers;
  for (size_t i = 0; i < unet.down_blocks.size(); ++i) {
    append_layers(layers, concat("down_blocks.", i), unet.down_blocks[i].attentions);
  }
  if (unet.mid_block) append_layers(layers, "mid_block", unet.mid_block->attentions);
  for (size_t i = 0; i < unet.up_blocks.size(); ++i) {
    append_layers(layers, concat("up_blocks.", i), unet.up_blocks[i].attentions);
  }
  return layers;
}

}  // namespace

std::unordered_set<const Attention*> self_attentions(const UNet2DConditionModel& unet,
                                                     const std::vector<std::string>& parts) {
  const auto layers = all_layers(unet);
  std::unordered_set<const Attention*> found;
  for (const auto& part : parts) {
    bool any = false;
    for (const auto& [name, layer] : layers) {
      if (name.find(part) == std::string::npos) continue;
      found.insert(layer);
      any = true;
    }
    check(any, ErrorCode::kInvalidArgument, "no self-attention layer of the U-Net has ", fjord::quoted(part),
          " in its name; they are named like ", layers.empty() ? "nothing: it has none" : layers.front().name);
  }
  return found;
}

}  // namespace fjord::models
