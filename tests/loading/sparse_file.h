// Safetensors files of published sizes that take next to no space.
#pragma once

#include "support/packed_names.h"

namespace fjord::testing {

// Writes a file of float16 zeros with these names and shapes, of which the head alone is on disk.
void write_sparse_file(const std::string& path, const Shapes& shapes);

}  // namespace fjord::testing
