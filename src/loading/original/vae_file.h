// A VAE put into a source: out of a whole model's file, or from a file or folder of its own.
#pragma once

#include "loading/composed_source.h"
#include "loading/original/key_map.h"

#include <nlohmann/json.hpp>

#include <string>

namespace fjord::loading {

// Puts a VAE whose `tensors` are in either layout. Scaling factor, shift, size and the wish for float32 come from
// `base`, the configuration of the VAE that it stands for. `file` is for messages.
// Throws Error(kBadFile) for a VAE that is not whole.
void put_vae(ComposedSource& target, const AssembledTensors& tensors, const nlohmann::json& base,
             const std::string& file);

// The same from `path`: a VAE's folder or a model's folder, which have configurations of their own (`variant` as in
// prefer_variant, may be empty), or a safetensors file, which may be that of a whole model.
// Throws Error: kNotFound, kBadFile, kUnsupported.
void replace_vae(ComposedSource& target, const std::string& path, const nlohmann::json& base,
                 const std::string& variant);

}  // namespace fjord::loading
