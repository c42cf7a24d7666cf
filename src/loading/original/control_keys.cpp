#include "loading/original/control_keys.h"

#include "core/check.h"

namespace fjord::loading {
namespace {

std::string at(const std::string& list, size_t index) { return list + "." + std::to_string(index); }

// A list whose members stand at every second place: activations stand between them.
KeyMap embedding_keys(const AssembledTensors& tensors) {
  const std::string original = "input_hint_block", diffusers = "controlnet_cond_embedding";
  KeyMap map{{original + ".0", diffusers + ".conv_in"}};
  size_t block = 0;
  for (size_t index = 2; has_prefix(tensors, at(original, index) + "."); index += 2) {
    const bool last = !has_prefix(tensors, at(original, index + 2) + ".");
    map.push_back({at(original, index), last ? diffusers + ".conv_out" : at(diffusers + ".blocks", block++)});
  }
  return map;
}

KeyMap light_adapter_keys(const AssembledTensors& tensors) {
  KeyMap map;
  for (size_t i = 0; has_prefix(tensors, at("body", i) + "."); ++i) {
    const auto block = at("adapter.body", i);
    for (size_t j = 0; has_prefix(tensors, at(at("body", i) + ".body", j) + "."); ++j) {
      map.push_back({at(at("body", i) + ".body", j), at(block + ".resnets", j)});
    }
    for (const char* part : {".in_conv", ".out_conv"}) map.push_back({at("body", i) + part, block + part});
  }
  return map;
}

}  // namespace

KeyMap controlnet_keys(const AssembledTensors& tensors) {
  auto map = unet_keys_of_original(tensors);
  for (const auto& pair : embedding_keys(tensors)) map.push_back(pair);
  for (size_t i = 0; has_prefix(tensors, at("zero_convs", i) + "."); ++i) {
    map.push_back({at("zero_convs", i) + ".0", at("controlnet_down_blocks", i)});
  }
  map.push_back({"middle_block_out.0", "controlnet_mid_block"});
  return map;
}

// All layers of the larger kinds stand in one row; a block begins where the number of channels changes first.
KeyMap t2i_adapter_keys(const AssembledTensors& tensors, const std::string& file) {
  if (has_prefix(tensors, "body.0.out_conv.")) return light_adapter_keys(tensors);
  size_t layers = 0, in_block = 0;
  for (; has_prefix(tensors, at("body", layers) + "."); ++layers) {
    const bool begins = layers > 0 && has_prefix(tensors, at("body", layers) + ".in_conv.");
    if (begins && in_block == 0) in_block = layers;
  }
  check(in_block > 0 && layers % in_block == 0, ErrorCode::kBadFile, file, " is no whole T2I-Adapter: its ", layers,
        " layers make no equal blocks of ", in_block);
  KeyMap map{{"conv_in", "adapter.conv_in"}};
  for (size_t i = 0; i < layers; ++i) {
    const auto block = at("adapter.body", i / in_block), layer = at(block + ".resnets", i % in_block);
    for (const char* part : {".block1", ".block2"}) map.push_back({at("body", i) + part, layer + part});
    map.push_back({at("body", i) + ".in_conv", block + ".in_conv"});
  }
  return map;
}

}  // namespace fjord::loading
