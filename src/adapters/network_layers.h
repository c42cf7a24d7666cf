// The layers of a network that adapters can change, under every name that adapter files give them.
#pragma once

#include "config/clip_text.h"
#include "config/unet.h"
#include "nn/layers.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace fjord::adapters {

enum class LayerKind { kLinear, kConv2d, kNorm };

struct Layer {
  std::string name = {};  // in the module tree
  size_t module = 0;      // its place in Module::modules() of a tree of the same configuration
  LayerKind kind = LayerKind::kLinear;
  std::vector<std::int64_t> weight = {};  // shape
  nn::Conv2dOptions conv = {};            // of a convolution
};

class NetworkLayers {
 public:
  static NetworkLayers of_unet(const config::UNet& config);
  static NetworkLayers of_text_encoder(const config::ClipText& config);

  // By its name in the module tree, in diffusers, peft or kohya-ss' spelling (dots as underscores), for the U-Net also
  // under the names of the original repository ("input_blocks_4_1_..."). Null if there is none.
  const Layer* find(const std::string& spelling) const;

 private:
  explicit NetworkLayers(nn::Module& tree);
  void add_spelling(const std::string& spelling, size_t layer);

  std::vector<Layer> layers_;
  std::unordered_map<std::string, size_t> spellings_;  // -> index in layers_
};

// The U-Net's layers as the original repository of latent diffusion names them: "down_blocks.0.resnets.0.conv1" ->
// "input_blocks.1.0.in_layers.2". `layers_per_block`: residual blocks of each level of the way down.
std::string original_name(const std::string& name, const std::vector<std::int64_t>& layers_per_block,
                          const std::vector<bool>& attends_on_way_up);

}  // namespace fjord::adapters
