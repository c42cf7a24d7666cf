// The choice of CPU kernels by name.
#pragma once

#include "kernels/cpu/kernels.h"

#include <string>

namespace fjord::pipeline {

// "auto" -> the best table of this processor, "reference" -> null (LibTorch's plain operators), or a table by its name.
// Throws kInvalidArgument for a name that is unknown or that this processor cannot run.
const kernels::CpuKernels* choose_cpu_kernels(const std::string& name);

}  // namespace fjord::pipeline
