// In place of convolution_plan.cpp where cuDNN's headers were not found.
#include "cuda/convolution_plan.h"

namespace fjord::cuda {

std::vector<std::shared_ptr<ConvolutionPlan>> convolution_plans(const ConvolutionProblem&, size_t) { return {}; }

}  // namespace fjord::cuda
