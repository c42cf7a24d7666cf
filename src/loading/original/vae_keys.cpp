// The VAE's names. On the way up the original layout numbers the levels from the finest, diffusers in order of running.
#include "loading/original/key_map.h"

#include <array>

namespace fjord::loading {
namespace {

constexpr std::array kAttention{
    std::array{"norm", "group_norm"},   std::array{"q", "to_q"}, std::array{"k", "to_k"}, std::array{"v", "to_v"},
    std::array{"proj_out", "to_out.0"},
};

std::string at(const std::string& list, size_t index) { return list + "." + std::to_string(index); }

// The resnets of one level, as far as `tensors` has them on either side.
void add_resnets(const AssembledTensors& tensors, const std::string& original, const std::string& diffusers,
                 KeyMap& map) {
  for (size_t i = 0; has_prefix(tensors, at(original, i) + ".") || has_prefix(tensors, at(diffusers, i) + "."); ++i) {
    map.push_back({at(original, i), at(diffusers, i)});
    map.push_back({at(original, i) + ".nin_shortcut", at(diffusers, i) + ".conv_shortcut"});
  }
}

void add_middle(const std::string& half, KeyMap& map) {
  for (size_t i = 0; i < 2; ++i) {
    map.push_back({half + ".mid.block_" + std::to_string(i + 1), at(half + ".mid_block.resnets", i)});
  }
  for (const auto& [original, diffusers] : kAttention) {
    map.push_back({half + ".mid.attn_1." + original, half + ".mid_block.attentions.0." + diffusers, Form::kMatrix});
  }
  map.push_back({half + ".norm_out", half + ".conv_norm_out"});
}

size_t count_levels(const AssembledTensors& tensors, const std::string& original, const std::string& diffusers) {
  size_t levels = 0;
  while (has_prefix(tensors, at(original, levels) + ".") || has_prefix(tensors, at(diffusers, levels) + ".")) ++levels;
  return levels;
}

}  // namespace

KeyMap vae_keys(const AssembledTensors& tensors) {
  KeyMap map;
  add_middle("encoder", map);
  add_middle("decoder", map);
  const auto down = count_levels(tensors, "encoder.down", "encoder.down_blocks");
  for (size_t level = 0; level < down; ++level) {
    const auto original = at("encoder.down", level), diffusers = at("encoder.down_blocks", level);
    add_resnets(tensors, original + ".block", diffusers + ".resnets", map);
    map.push_back({original + ".downsample.conv", diffusers + ".downsamplers.0.conv"});
  }
  const auto up = count_levels(tensors, "decoder.up", "decoder.up_blocks");
  for (size_t level = 0; level < up; ++level) {
    const auto original = at("decoder.up", level), diffusers = at("decoder.up_blocks", up - 1 - level);
    add_resnets(tensors, original + ".block", diffusers + ".resnets", map);
    map.push_back({original + ".upsample.conv", diffusers + ".upsamplers.0.conv"});
  }
  return map;
}

}  // namespace fjord::loading
