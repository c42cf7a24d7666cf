// Convolutions with bias and residual in one kernel, by cuDNN's graph interface.
#pragma once

#include "core/cuda_ops.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace fjord::cuda {

// x [batch, in, height, width] and weight [out, in, kernel, kernel], both channels last; bias [out].
struct ConvolutionProblem {
  std::int64_t batch = 0, in = 0, height = 0, width = 0, out = 0, kernel = 0, stride = 1, padding = 0;
  at::ScalarType dtype = at::kFloat;
  bool residual = false;

  auto key() const { return std::tuple(batch, in, height, width, out, kernel, stride, padding, dtype, residual); }
  std::string name() const;
  std::int64_t out_height() const { return (height + 2 * padding - kernel) / stride + 1; }
  std::int64_t out_width() const { return (width + 2 * padding - kernel) / stride + 1; }
};

struct ConvolutionOperands {
  at::Tensor x, weight, bias, residual, out;
};

// One way to compute a problem on the current GPU.
class ConvolutionPlan {
 public:
  virtual ~ConvolutionPlan() = default;
  // On the current stream; false where cuDNN refuses.
  virtual bool run(const ConvolutionOperands& operands) = 0;
};

// Those that cuDNN thinks best, at most `count`; none where it has none or this build has no cuDNN.
std::vector<std::shared_ptr<ConvolutionPlan>> convolution_plans(const ConvolutionProblem& problem, size_t count);

}  // namespace fjord::cuda
