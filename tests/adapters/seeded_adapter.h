// Adapter files whose tensors tests/reference/adapters.py draws as well, and how that script writes them down.
#pragma once

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

namespace fjord::testing {

// What the script says in tests/data/adapters/<name>.json.
nlohmann::json read_adapter_cases(const std::string& name);

// The tensors of a file of a case, by name.
std::map<std::string, at::Tensor> draw_adapter(const nlohmann::json& file);

// Writes them as `folder`/adapter_model.safetensors, with the configuration of peft beside it where the case has one;
// returns the path.
std::string write_adapter(const nlohmann::json& file, const std::string& folder);

}  // namespace fjord::testing
