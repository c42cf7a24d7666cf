// Fills a module tree from a checkpoint, strictly: every key must fit, and all that do not are reported at once.
#pragma once

#include "loading/checkpoint.h"
#include "nn/module.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fjord::loading {

// How the names in a file become the names of a module tree. Data, not code.
struct KeyRules {
  std::string optional_prefix;                               // taken off where it is there, e.g. "text_model."
  std::vector<std::string> ignored;                          // names (after the prefix is off) that need no place
  std::vector<std::pair<std::string, std::string>> renames;  // a part of a name -> its replacement
};

// Rules of the checkpoints that diffusers and transformers write, old ones included.
const KeyRules& clip_text_rules();
const KeyRules& clip_vision_rules();
const KeyRules& unet_rules();
const KeyRules& vae_rules();
const KeyRules& tiny_vae_rules();

// The name in the module tree that a file's name stands for.
std::string module_name(const std::string& file_name, const KeyRules& rules);
// Whether a file's tensor fills a parameter: equal shapes, but for sizes of 1 at the end of the file's.
bool shape_fits(std::vector<std::int64_t> in_file, at::IntArrayRef wanted);
// The name of the factors of a parameter that is int8 in the file.
std::string scale_name(const std::string& parameter);

// How the weights are kept once they are read.
struct Keeping {
  const kernels::CpuKernels* kernels = nullptr;  // pack every layer for them; null: as they are
  bool round_inputs = false;                     // linear layers with int8 weights round their inputs too
  // Where a module computes whose weights, read into main memory, are to rest there (nn::Module::rest).
  std::optional<at::Device> rests_from = {};
};

// Reads every parameter of `module`, on all threads. A file's [out, in, 1, 1] also fits a linear layer's [out, in].
// A parameter "<name>" may be int8 or int4 in the file, with "<name>_scale" beside it (docs/quantization.md).
// Every layer is packed as soon as it is read, so that few plain weights exist at a time.
// Throws what check_keys throws, before any data is read; then what Checkpoint::read_into throws, and Error(kBadFile),
// naming the tensor, for weights that are not finite.
void load_into(nn::Module& module, const Checkpoint& checkpoint, const KeyRules& rules, const std::string& what,
               const Keeping& keeping = {});

// Throws Error(kBadFile), naming `what` and every missing, unexpected and misshaped key (the first twenty of each
// kind), if the checkpoint would not fit. The module may be on the meta device.
void check_keys(nn::Module& module, const Checkpoint& checkpoint, const KeyRules& rules, const std::string& what);

}  // namespace fjord::loading
