// Named arrays in a safetensors file.
#pragma once

#include "loading/source.h"

#include <fjord/request.h>

#include <map>
#include <memory>
#include <string>

namespace fjord::loading {

// All tensors of the file as float32. Throws Error(kBadFile).
std::map<std::string, Array> read_arrays(std::unique_ptr<File> file);

}  // namespace fjord::loading
