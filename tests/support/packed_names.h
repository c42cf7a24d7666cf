// Names and shapes of tensors as tests/reference/packed_names.py writes them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fjord::testing {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;  // by name

// A line a tensor, in the order of their names: characters shared with the name before, the rest of the name, shape.
Shapes unpack_names(const std::string& text);

// The whole of such a file, without `prefix` where a name begins with it. Empty if there is no such file.
Shapes read_packed_names(const std::string& path, const std::string& prefix = "");

}  // namespace fjord::testing
