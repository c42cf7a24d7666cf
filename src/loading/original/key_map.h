// Names of the original (LDM) layout and names of diffusers' layout, pair by pair, for both ways.
// Reference: diffusers' loaders/single_file_utils.py, whose converters must agree (tests/reference/single_file.py).
#pragma once

#include "loading/assembled_file.h"

#include <string>
#include <vector>

namespace fjord::loading {

// How a tensor of the original layout differs from diffusers'.
enum class Form {
  kSame,
  kMatrix,      // a 1x1 kernel there, a matrix here
  kTransposed,  // a matrix there, its transpose here
  kFused,       // there one tensor: the rows of q, then k, then v; here three, named with q, k and v for the '*'
};

// A whole name or the beginning of names up to a dot, on both sides.
struct KeyPair {
  std::string original;
  std::string diffusers;
  Form form = Form::kSame;
};

using KeyMap = std::vector<KeyPair>;

// Whether a name is `prefix` or begins with it.
bool has_prefix(const AssembledTensors& tensors, const std::string& prefix);

// The tensors whose names begin with `prefix`, without it.
AssembledTensors below(const AssembledTensors& tensors, const std::string& prefix);

// Names that are in no pair stay as they are: the strict loader complains about them.
// Throws Error(kBadFile), naming the tensor, where a shape does not allow the pair's form.
AssembledTensors to_diffusers(const AssembledTensors& original, const KeyMap& map);

// The way back. Throws Error(kBadFile) as well where one of the three tensors to be fused is missing.
AssembledTensors to_original(const AssembledTensors& diffusers, const KeyMap& map);

// The pairs of the U-Net; `tensors` (in either layout) show how many levels and layers there are.
KeyMap unet_keys_of_original(const AssembledTensors& tensors);
KeyMap unet_keys_of_diffusers(const AssembledTensors& tensors);

// The pairs of the VAE, whichever layout `tensors` are in.
KeyMap vae_keys(const AssembledTensors& tensors);

// The pairs of a text encoder in OpenCLIP's layout (the U-Net's other text encoders have transformers' names).
KeyMap openclip_keys(const AssembledTensors& tensors);

}  // namespace fjord::loading
