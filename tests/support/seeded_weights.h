// Weights and inputs that tests/reference/seeded_weights.py draws as well: one seeded stream per model, in sorted
// order.
#pragma once

#include "nn/module.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>

namespace fjord::testing {

// Overwrites every parameter. `file_name` maps a parameter's name to the reference's name, by which the order is made.
void fill(
    nn::Module& module, std::uint64_t seed,
    const std::function<std::string(const std::string&)>& file_name = [](const std::string& n) { return n; });

// Standard normal numbers of a seed of their own, float32.
at::Tensor normal(std::uint64_t seed, at::IntArrayRef shape);

// max |a - b| / max |b|.
double relative_error(const at::Tensor& a, const at::Tensor& b);

}  // namespace fjord::testing
