// A model folder whose weights of a variant ("fp16") come before the plain ones, as in from_pretrained(variant=...).
#pragma once

#include "loading/source.h"

#include <memory>
#include <string>

namespace fjord::loading {

// For <stem>.safetensors opens <stem>.<variant>.safetensors, and for <stem>.safetensors.index.json
// <stem>.safetensors.index.<variant>.json, wherever one of the two is there; the plain files are then hidden.
// Throws Error(kInvalidArgument) for a variant that is no part of a file name.
std::unique_ptr<Source> prefer_variant(std::shared_ptr<const Source> source, const std::string& variant);

}  // namespace fjord::loading
