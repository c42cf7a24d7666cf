// An adapter by its path: the file, or the folder that peft and diffusers write it into.
#pragma once

#include "adapters/adapter_file.h"

#include <string>

namespace fjord::adapters {

// `path`: a safetensors file, or a folder with adapter_model.safetensors (peft) or pytorch_lora_weights.safetensors
// (diffusers) in it. peft's adapter_config.json beside a file adapter_model.safetensors is read too: ranks and alphas
// are there. Throws Error: kNotFound, and as read_adapter.
Changes read_adapter_file(const std::string& path, const Networks& networks);

}  // namespace fjord::adapters
