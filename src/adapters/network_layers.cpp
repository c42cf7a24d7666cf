#include "adapters/network_layers.h"

#include "models/clip/clip_text_model.h"
#include "models/unet/unet_2d_condition.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace fjord::adapters {
namespace {

constexpr std::string_view kTextPrefix = "text_model.";

// What diffusers calls the projections of the text encoder's attention, and the first entry of a list of one.
constexpr std::array kOtherEndings{
    std::pair<std::string_view, std::string_view>{".self_attn.q_proj", ".self_attn.to_q"},
    std::pair<std::string_view, std::string_view>{".self_attn.k_proj", ".self_attn.to_k"},
    std::pair<std::string_view, std::string_view>{".self_attn.v_proj", ".self_attn.to_v"},
    std::pair<std::string_view, std::string_view>{".self_attn.out_proj", ".self_attn.to_out"},
    std::pair<std::string_view, std::string_view>{".to_out.0", ".to_out"},
};

// A layer that adapters can change; the name and the place are filled in by the caller.
std::optional<Layer> describe(const nn::Module& module) {
  if (const auto* linear = dynamic_cast<const nn::Linear*>(&module)) {
    return Layer{.kind = LayerKind::kLinear, .weight = linear->weight.sizes().vec(), .conv = {}};
  }
  if (const auto* gated = dynamic_cast<const nn::GatedLinear*>(&module)) {
    return Layer{.kind = LayerKind::kLinear, .weight = gated->weight.sizes().vec(), .conv = {}};
  }
  if (const auto* conv = dynamic_cast<const nn::Conv2d*>(&module)) {
    return Layer{.kind = LayerKind::kConv2d, .weight = conv->weight.sizes().vec(), .conv = conv->shape()};
  }
  if (const auto* norm = dynamic_cast<const nn::GroupNorm*>(&module)) {
    return Layer{.kind = LayerKind::kNorm, .weight = norm->weight.sizes().vec(), .conv = {}};
  }
  if (const auto* norm = dynamic_cast<const nn::LayerNorm*>(&module)) {
    return Layer{.kind = LayerKind::kNorm, .weight = norm->weight.sizes().vec(), .conv = {}};
  }
  return std::nullopt;
}

std::string underscored(std::string text) {
  std::replace(text.begin(), text.end(), '.', '_');
  return text;
}

std::vector<bool> attending_up_blocks(const config::UNet& config) {
  std::vector<bool> out;
  for (const auto& type : config.up_block_types) out.push_back(type.starts_with("CrossAttn"));
  return out;
}

}  // namespace

NetworkLayers::NetworkLayers(nn::Module& tree) {
  const auto modules = tree.modules();
  for (size_t i = 0; i < modules.size(); ++i) {
    auto layer = describe(*modules[i].module);
    if (!layer) continue;
    layer->name = modules[i].name;
    layer->module = i;
    layers_.push_back(std::move(*layer));
    add_spelling(modules[i].name, layers_.size() - 1);
    for (const auto& [ending, other] : kOtherEndings) {
      if (!modules[i].name.ends_with(ending)) continue;
      add_spelling(modules[i].name.substr(0, modules[i].name.size() - ending.size()) + std::string(other),
                   layers_.size() - 1);
    }
  }
}

void NetworkLayers::add_spelling(const std::string& spelling, size_t layer) {
  spellings_.emplace(spelling, layer);
  spellings_.emplace(underscored(spelling), layer);
}

NetworkLayers NetworkLayers::of_unet(const config::UNet& config) {
  models::UNet2DConditionModel tree(config, at::TensorOptions().device(at::kMeta));
  NetworkLayers out(tree);
  const auto attends = attending_up_blocks(config);
  for (size_t i = 0; i < out.layers_.size(); ++i) {
    out.add_spelling(original_name(out.layers_[i].name, config.layers_per_block, attends), i);
  }
  return out;
}

NetworkLayers NetworkLayers::of_text_encoder(const config::ClipText& config) {
  models::ClipTextModel tree(config, at::TensorOptions().device(at::kMeta));
  NetworkLayers out(tree);
  const auto spellings = out.spellings_;
  for (const auto& [spelling, layer] : spellings) {
    out.spellings_.emplace(std::string(kTextPrefix) + spelling, layer);
    out.spellings_.emplace(underscored(std::string(kTextPrefix)) + spelling, layer);
  }
  return out;
}

const Layer* NetworkLayers::find(const std::string& spelling) const {
  const auto found = spellings_.find(spelling);
  return found == spellings_.end() ? nullptr : &layers_[found->second];
}

}  // namespace fjord::adapters
