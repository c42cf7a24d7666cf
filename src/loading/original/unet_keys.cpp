// The U-Net's names. The original layout numbers all layers in one row: "input_blocks.4" is the second layer or the
// resampler of some level, and the place in it says what it is: 0 a resnet or a downsampler, 1 a transformer.
#include "loading/original/key_map.h"

#include <algorithm>
#include <array>

namespace fjord::loading {
namespace {

struct Names {
  const char* original;
  const char* diffusers;
};

constexpr std::array kOutside{
    Names{"time_embed.0", "time_embedding.linear_1"},
    Names{"time_embed.2", "time_embedding.linear_2"},
    Names{"label_emb.0.0", "add_embedding.linear_1"},
    Names{"label_emb.0.2", "add_embedding.linear_2"},
    Names{"input_blocks.0.0", "conv_in"},
    Names{"out.0", "conv_norm_out"},
    Names{"out.2", "conv_out"},
};

constexpr std::array kResnet{
    Names{"in_layers.0", "norm1"},  Names{"in_layers.2", "conv1"},  Names{"emb_layers.1", "time_emb_proj"},
    Names{"out_layers.0", "norm2"}, Names{"out_layers.3", "conv2"}, Names{"skip_connection", "conv_shortcut"},
};

struct Level {
  int layers = 0;           // resnets on the way down; one more on the way up
  bool up_attends = false;  // the upsampler stands behind the transformer, or in its place
};

std::string at(const std::string& list, size_t index) { return list + "." + std::to_string(index); }

void add_resnet(const std::string& original, const std::string& diffusers, KeyMap& map) {
  for (const auto& part : kResnet) map.push_back({original + "." + part.original, diffusers + "." + part.diffusers});
}

// One layer: a resnet and a transformer (whose inner names are equal on both sides).
void add_layer(const std::string& original, const std::string& block, size_t layer, KeyMap& map) {
  add_resnet(original + ".0", at(block + ".resnets", layer), map);
  map.push_back({original + ".1", at(block + ".attentions", layer)});
}

KeyMap unet_keys(const std::vector<Level>& levels) {
  KeyMap map;
  for (const auto& [original, diffusers] : kOutside) map.push_back({original, diffusers});
  size_t index = 1;
  for (size_t i = 0; i < levels.size(); ++i) {
    const auto block = at("down_blocks", i);
    for (int layer = 0; layer < levels[i].layers; ++layer) {
      add_layer(at("input_blocks", index++), block, static_cast<size_t>(layer), map);
    }
    if (i + 1 < levels.size()) map.push_back({at("input_blocks", index++) + ".0.op", block + ".downsamplers.0.conv"});
  }
  add_layer("middle_block", "mid_block", 0, map);
  add_resnet("middle_block.2", "mid_block.resnets.1", map);
  index = 0;
  for (size_t step = 0; step < levels.size(); ++step) {
    const auto& level = levels[levels.size() - 1 - step];
    const auto block = at("up_blocks", step);
    for (int layer = 0; layer <= level.layers; ++layer) {
      add_layer(at("output_blocks", index++), block, static_cast<size_t>(layer), map);
    }
    const auto upsampler = at("output_blocks", index - 1) + (level.up_attends ? ".2.conv" : ".1.conv");
    map.push_back({upsampler, block + ".upsamplers.0.conv"});
  }
  return map;
}

}  // namespace

KeyMap unet_keys_of_original(const AssembledTensors& tensors) {
  std::vector<Level> levels(1);
  for (size_t index = 1;; ++index) {
    const auto block = at("input_blocks", index) + ".0.";
    if (has_prefix(tensors, block + "op.")) {
      levels.emplace_back();
    } else if (has_prefix(tensors, block)) {
      ++levels.back().layers;
    } else {
      break;
    }
  }
  size_t index = 0;
  for (auto level = levels.rbegin(); level != levels.rend(); ++level) {
    level->up_attends = has_prefix(tensors, at("output_blocks", index) + ".1.norm.");
    index += static_cast<size_t>(level->layers) + 1;
  }
  return unet_keys(levels);
}

KeyMap unet_keys_of_diffusers(const AssembledTensors& tensors) {
  std::vector<Level> levels;
  for (size_t i = 0; has_prefix(tensors, at("down_blocks", i) + "."); ++i) {
    auto& level = levels.emplace_back();
    const auto resnets = at("down_blocks", i) + ".resnets";
    while (has_prefix(tensors, at(resnets, static_cast<size_t>(level.layers)) + ".")) ++level.layers;
  }
  for (size_t step = 0; step < levels.size(); ++step) {
    levels[levels.size() - 1 - step].up_attends = has_prefix(tensors, at("up_blocks", step) + ".attentions.");
  }
  return unet_keys(levels);
}

}  // namespace fjord::loading
