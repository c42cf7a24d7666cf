// What the names and shapes of a component's tensors say about its configuration: the contents of config.json.
#pragma once

#include "loading/original/family.h"

#include <nlohmann/json.hpp>

namespace fjord::loading {

// Names in diffusers' layout. What shapes cannot tell (heads, groups of norms, activation) is the family's or the
// published models'. Throws Error(kBadFile), naming `file` and the tensor, where one that must be there is missing.
nlohmann::json unet_config_of(const AssembledTensors& tensors, const Family& family, const std::string& file);
nlohmann::json clip_config_of(const AssembledTensors& tensors, const EncoderPlace& place, const std::string& file);

// `base` is the configuration of the VAE that this one stands for: its scaling factor and size are taken over.
nlohmann::json vae_config_of(const AssembledTensors& tensors, const nlohmann::json& base, const std::string& file);

}  // namespace fjord::loading
