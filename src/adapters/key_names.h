// The names of tensors in adapter files, taken apart: which network, which layer, which factor of its change.
// Dialects: kohya-ss and LyCORIS ("lora_unet_<layer>.lora_down.weight"), diffusers ("unet.<layer>.lora.down.weight" and
// the attention processors' "<layer>.processor.to_q_lora.down.weight"), peft
// ("base_model.model.<layer>.lora_A.weight").
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace fjord::adapters {

// The networks that adapters change.
enum class Part { kUnet, kText, kText2 };
inline constexpr std::array kParts{Part::kUnet, Part::kText, Part::kText2};

// As a model folder names it: "unet", "text_encoder", "text_encoder_2".
const char* part_name(Part part);

struct KeyName {
  std::optional<Part> part;  // none: the file does not say
  std::string layer;         // as the file spells it, without the names of processors and of the network
  // "down", "up", "mid", "up_bias", "alpha", "magnitude", "dora_scale", "diff", "diff_b", or LyCORIS' own name, as
  // "hada_w1_a" or "lokr_t2".
  std::string role;
};

// None for a key whose end names no factor. Time linear in its length.
std::optional<KeyName> parse_key(std::string_view key);

// What a file with these keys seems to be, for messages: "a ControlNet", ...; null if it is nothing that is known.
const char* other_kind(std::string_view key);

}  // namespace fjord::adapters
