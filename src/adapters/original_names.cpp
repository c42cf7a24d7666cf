// The original repository numbers the residual blocks of all levels through; a level's halving or doubling is a block
// of its own on the way down and the last part of a block on the way up.
#include "adapters/network_layers.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace fjord::adapters {
namespace {

using Renaming = std::pair<std::string_view, std::string_view>;

constexpr std::array kOutside{
    Renaming{"conv_in", "input_blocks.0.0"},
    Renaming{"time_embedding.linear_1", "time_embed.0"},
    Renaming{"time_embedding.linear_2", "time_embed.2"},
    Renaming{"class_embedding.linear_1", "label_emb.0.0"},
    Renaming{"class_embedding.linear_2", "label_emb.0.2"},
    Renaming{"add_embedding.linear_1", "label_emb.0.0"},
    Renaming{"add_embedding.linear_2", "label_emb.0.2"},
    Renaming{"mid_block.resnets.0", "middle_block.0"},
    Renaming{"mid_block.attentions.0", "middle_block.1"},
    Renaming{"mid_block.resnets.1", "middle_block.2"},
    Renaming{"conv_norm_out", "out.0"},
    Renaming{"conv_out", "out.2"},
};

constexpr std::array kInResidualBlock{
    Renaming{".norm1", ".in_layers.0"},          Renaming{".conv1", ".in_layers.2"},
    Renaming{".time_emb_proj", ".emb_layers.1"}, Renaming{".norm2", ".out_layers.0"},
    Renaming{".conv2", ".out_layers.3"},         Renaming{".conv_shortcut", ".skip_connection"},
};

// "down_blocks.<level>.<list>.<index><rest>"
struct BlockName {
  size_t level = 0;
  std::string list;
  size_t index = 0;
  std::string rest;
};

BlockName take_apart(const std::string& name, size_t begin) {
  const auto list = name.find('.', begin) + 1, index = name.find('.', list) + 1;
  const auto rest = std::min(name.find('.', index), name.size());
  return {std::stoul(name.substr(begin)), name.substr(list, index - 1 - list), std::stoul(name.substr(index)),
          name.substr(rest)};
}

std::string inner_name(const BlockName& block) {
  if (block.list == "downsamplers") return ".op";
  if (block.list != "resnets") return block.rest;
  for (const auto& [ours, theirs] : kInResidualBlock) {
    if (block.rest == ours) return std::string(theirs);
  }
  return block.rest;
}

std::string down_name(const BlockName& block, const std::vector<std::int64_t>& layers) {
  size_t number = 1;
  for (size_t level = 0; level < block.level; ++level) number += static_cast<size_t>(layers[level]) + 1;
  const bool halves = block.list == "downsamplers";
  number += halves ? static_cast<size_t>(layers[block.level]) : block.index;
  return "input_blocks." + std::to_string(number) + (block.list == "attentions" ? ".1" : ".0") + inner_name(block);
}

std::string up_name(const BlockName& block, const std::vector<std::int64_t>& layers, const std::vector<bool>& attends) {
  size_t number = 0;
  const auto own_layers = [&](size_t step) { return static_cast<size_t>(layers[layers.size() - 1 - step]) + 1; };
  for (size_t step = 0; step < block.level; ++step) number += own_layers(step);
  const bool doubles = block.list == "upsamplers";
  number += doubles ? own_layers(block.level) - 1 : block.index;
  const char* part = block.list == "resnets" ? ".0" : doubles && attends[block.level] ? ".2" : ".1";
  return "output_blocks." + std::to_string(number) + part + inner_name(block);
}

}  // namespace

std::string original_name(const std::string& name, const std::vector<std::int64_t>& layers_per_block,
                          const std::vector<bool>& attends_on_way_up) {
  constexpr std::string_view kDown = "down_blocks.", kUp = "up_blocks.";
  if (name.starts_with(kDown)) return down_name(take_apart(name, kDown.size()), layers_per_block);
  if (name.starts_with(kUp)) return up_name(take_apart(name, kUp.size()), layers_per_block, attends_on_way_up);
  for (const auto& [ours, theirs] : kOutside) {
    if (!name.starts_with(ours)) continue;
    const auto rest = name.substr(ours.size());
    if (!rest.empty() && rest.front() != '.') continue;
    return std::string(theirs) +
           inner_name({.list = theirs.starts_with("middle_block") ? "resnets" : "", .rest = rest});
  }
  return name;
}

}  // namespace fjord::adapters
