// Operators at the shapes of Stable Diffusion 1.5 (512x512, guided), each to be run by every table of CPU kernels that
// this processor supports and by LibTorch's plain operators.
#pragma once

#include "kernels/cpu/kernels.h"

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace fjord::bench {

struct Case {
  std::string name;
  double flops = 0;     // of the plain algorithm; 0: the operator is bound by memory
  double elements = 0;  // of such an operator's input, which it reads once and writes once
  // The work on random inputs of the dtype; kernels null: LibTorch's plain operators.
  std::function<std::function<void()>(at::ScalarType dtype, const kernels::CpuKernels* kernels)> make;
};

std::vector<Case> attention_cases();
std::vector<Case> linear_cases();
std::vector<Case> convolution_cases();
std::vector<Case> norm_cases();

}  // namespace fjord::bench
