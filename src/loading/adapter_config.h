// What peft and diffusers write beside an adapter's weights: rank and alpha, by layer where they differ.
// References: peft's adapter_config.json; diffusers' "lora_adapter_metadata" in the header of a safetensors file.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace fjord::loading {

struct AdapterConfig {
  std::optional<double> alpha;
  std::optional<double> rank;
  bool rank_stabilized = false;
  std::map<std::string, double> alpha_of, rank_of;  // by the end of a layer's name

  // Of a layer, by its name in diffusers' spelling.
  std::optional<double> alpha_for(const std::string& layer) const;
  std::optional<double> rank_for(const std::string& layer) const;
};

// By component ("unet", "text_encoder", "text_encoder_2"); "" counts for all that have no entry.
using AdapterConfigs = std::map<std::string, AdapterConfig>;

// Throw Error, naming `where`: kBadFile for what is no such text, kUnsupported for a kind of adapter or an option that
// fjord does not have.
AdapterConfig read_peft_config(const std::string& text, const std::string& where);
AdapterConfigs read_diffusers_metadata(const std::string& text, const std::string& where);

}  // namespace fjord::loading
