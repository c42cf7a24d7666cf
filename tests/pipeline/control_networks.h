// The small control networks of tests/reference/control.py.
#pragma once

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>

namespace fjord::testing {

using NamedTensors = std::map<std::string, at::Tensor>;

// tests/data/control/<name>.json.
nlohmann::json control_json(const std::string& name);

// The weights of a network in diffusers' names.
NamedTensors control_tensors(const std::string& name);
// The same in the names of its authors' own program.
NamedTensors original_control_tensors(const std::string& name);

// A folder with config.json and weights. Made once per process, gone at its end.
std::string control_folder(const std::string& name);

}  // namespace fjord::testing
