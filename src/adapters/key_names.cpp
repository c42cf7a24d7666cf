#include "adapters/key_names.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace fjord::adapters {
namespace {

using Segments = std::vector<std::string_view>;

struct Ending {
  std::string_view text;
  std::string_view role;
};

// What may follow a layer's name.
constexpr std::array kEndings{
    Ending{"lora_down.weight", "down"},
    Ending{"lora_up.weight", "up"},
    Ending{"lora_mid.weight", "mid"},
    Ending{"lora_A.weight", "down"},
    Ending{"lora_B.weight", "up"},
    Ending{"lora_B.bias", "up_bias"},
    Ending{"lora.down.weight", "down"},
    Ending{"lora.up.weight", "up"},
    Ending{"lora_linear_layer.down.weight", "down"},
    Ending{"lora_linear_layer.up.weight", "up"},
    Ending{"down.weight", "down"},
    Ending{"up.weight", "up"},
    Ending{"alpha", "alpha"},
    Ending{"dora_scale", "dora_scale"},
    Ending{"lora_magnitude_vector", "magnitude"},
    Ending{"lora_magnitude_vector.weight", "magnitude"},
    Ending{"diff", "diff"},
    Ending{"diff_b", "diff_b"},
    Ending{"w_norm", "diff"},
    Ending{"b_norm", "diff_b"},
    Ending{"hada_w1_a", "hada_w1_a"},
    Ending{"hada_w1_b", "hada_w1_b"},
    Ending{"hada_w2_a", "hada_w2_a"},
    Ending{"hada_w2_b", "hada_w2_b"},
    Ending{"hada_t1", "hada_t1"},
    Ending{"hada_t2", "hada_t2"},
    Ending{"lokr_w1", "lokr_w1"},
    Ending{"lokr_w1_a", "lokr_w1_a"},
    Ending{"lokr_w1_b", "lokr_w1_b"},
    Ending{"lokr_w2", "lokr_w2"},
    Ending{"lokr_w2_a", "lokr_w2_a"},
    Ending{"lokr_w2_b", "lokr_w2_b"},
    Ending{"lokr_t2", "lokr_t2"},
};

struct Prefix {
  std::string_view text;
  Part part;
};

// Of whole segments, and where the layer's name has no dots; the first that fits counts.
constexpr std::array kPrefixes{
    Prefix{"lora_unet_", Part::kUnet},       Prefix{"lora_te_", Part::kText}, Prefix{"lora_te1_", Part::kText},
    Prefix{"lora_te2_", Part::kText2},       Prefix{"unet.", Part::kUnet},    Prefix{"text_encoder.", Part::kText},
    Prefix{"text_encoder_2.", Part::kText2},
};

constexpr std::string_view kPeftPrefix = "base_model.model.";
constexpr std::string_view kProcessorEnding = "_lora";

struct Marker {
  std::string_view text;
  const char* kind;
};

constexpr std::array kMarkers{
    Marker{"lora_controlnet", "a ControlNet as LoRA"},
    Marker{"controlnet", "a ControlNet"},
    Marker{"input_hint_block", "a ControlNet"},
    Marker{"zero_convs", "a ControlNet"},
    Marker{"lllite", "a ControlNet-LLLite"},
    Marker{"ip_adapter", "an IP-Adapter"},
    Marker{"image_proj", "an IP-Adapter"},
    Marker{"model.diffusion_model.", "a whole checkpoint"},
    Marker{"first_stage_model.", "a whole checkpoint"},
    Marker{"quant_conv", "a VAE"},
    Marker{"double_blocks", "an adapter for Flux"},
    Marker{"single_transformer_blocks", "an adapter for Flux"},
    Marker{"lora_transformer_", "an adapter for a transformer model"},
    Marker{"transformer.", "an adapter for a transformer model"},
    Marker{"emb_params", "a textual inversion"},
    Marker{"motion_modules", "a motion module"},
};

Segments split(std::string_view text) {
  Segments out;
  for (size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('.', begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

std::string join(const Segments& segments, size_t begin, size_t end) {
  std::string out;
  for (size_t i = begin; i < end; ++i) {
    if (i > begin) out += '.';
    out += segments[i];
  }
  return out;
}

bool begins_ending(std::string_view segment) {
  return std::any_of(kEndings.begin(), kEndings.end(), [&](const Ending& ending) {
    return ending.text.starts_with(segment) &&
           (ending.text.size() == segment.size() || ending.text[segment.size()] == '.');
  });
}

const Ending* find_ending(const std::string& text) {
  const auto found =
      std::find_if(kEndings.begin(), kEndings.end(), [&](const Ending& ending) { return ending.text == text; });
  return found == kEndings.end() ? nullptr : &*found;
}

// The role that the segments from `begin` on name. peft may put an adapter's name behind the first.
const Ending* ending_from(const Segments& segments, size_t begin) {
  if (const auto* ending = find_ending(join(segments, begin, segments.size()))) return ending;
  auto shorter = segments;
  if (begin + 1 >= segments.size()) return nullptr;
  shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(begin) + 1);
  return find_ending(join(shorter, begin, shorter.size()));
}

// "attn1.processor.to_q_lora" -> "attn1.to_q"
std::string layer_name(const Segments& segments, size_t end) {
  Segments kept;
  for (size_t i = 0; i < end; ++i) {
    if (segments[i] != "processor") kept.push_back(segments[i]);
  }
  if (!kept.empty() && kept.back().ends_with(kProcessorEnding)) kept.back().remove_suffix(kProcessorEnding.size());
  return join(kept, 0, kept.size());
}

void drop_prefix(std::string& text, std::string_view prefix) {
  if (text.starts_with(prefix)) text.erase(0, prefix.size());
}

}  // namespace

const char* part_name(Part part) {
  switch (part) {
    case Part::kUnet: return "unet";
    case Part::kText: return "text_encoder";
    case Part::kText2: return "text_encoder_2";
  }
  return "unknown";
}

std::optional<KeyName> parse_key(std::string_view key) {
  const auto segments = split(key);
  const auto first = std::find_if(segments.begin() + 1, segments.end(), begins_ending);
  if (first == segments.end()) return std::nullopt;
  const auto begin = static_cast<size_t>(first - segments.begin());
  const auto* ending = ending_from(segments, begin);
  if (ending == nullptr) return std::nullopt;
  KeyName out{{}, layer_name(segments, begin), std::string(ending->role)};
  drop_prefix(out.layer, kPeftPrefix);
  for (const auto& [prefix, part] : kPrefixes) {
    if (!out.layer.starts_with(prefix)) continue;
    drop_prefix(out.layer, prefix);
    out.part = part;
    break;
  }
  drop_prefix(out.layer, kPeftPrefix);
  return out;
}

const char* other_kind(std::string_view key) {
  const auto found = std::find_if(kMarkers.begin(), kMarkers.end(), [&](const Marker& marker) {
    return key.find(marker.text) != std::string_view::npos;
  });
  return found == kMarkers.end() ? nullptr : found->kind;
}

}  // namespace fjord::adapters
