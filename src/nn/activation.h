// Activation functions by the names that config.json uses.
#pragma once

#include "kernels/cpu/kernels.h"

#include <ATen/core/Tensor.h>

#include <string>

namespace fjord::nn {

enum class Activation { kSilu, kMish, kGelu, kRelu, kQuickGelu };

// "silu" or "swish", "mish", "gelu" (exact, with erf), "relu", "quick_gelu" (x * sigmoid(1.702 x)).
// Throws kUnsupported for another name.
Activation parse_activation(const std::string& name);

at::Tensor activate(Activation activation, const at::Tensor& x);

// The kernels' name of it; kNone if they have none.
kernels::Activation kernel_activation(Activation activation);

}  // namespace fjord::nn
