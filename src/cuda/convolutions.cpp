// Which way a convolution with bias and residual is computed: the fastest of cuDNN's fused plans and of LibTorch's
// convolution with additions after it, timed once for every shape. The first result of a plan is compared with
// LibTorch's.
#include "core/check.h"
#include "cuda/convolution_plan.h"
#include "cuda/shim.h"
#include "cuda/tuning.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>

#include <memory>

namespace fjord::cuda {

std::string ConvolutionProblem::name() const {
  return concat("convolution ", dtype, " ", batch, "x", in, "x", height, "x", width, " to ", out, " by ", kernel, "x",
                kernel, " stride ", stride, " padding ", padding, residual ? " residual" : "");
}

namespace {

constexpr size_t kCandidates = 2;  // making a plan may mean compiling

using Plan = std::shared_ptr<ConvolutionPlan>;  // null: LibTorch's way

at::Tensor plain(const ConvolutionOperands& operands, std::int64_t stride, std::int64_t padding) {
  const auto y = at::conv2d(operands.x, operands.weight, operands.bias, stride, padding);
  return operands.residual.defined() ? operands.residual + y : y;
}

Plan decide(const ConvolutionProblem& problem, const ConvolutionOperands& operands) {
  const auto libtorchs = [&] { return plain(operands, problem.stride, problem.padding); };
  if (tuning().find(problem.name()) == "libtorch") return nullptr;
  const auto plans = convolution_plans(problem, kCandidates);
  if (plans.empty()) {
    add_note(concat("cuDNN has no plan for the ", problem.name(), ", which is computed by LibTorch"));
    return nullptr;
  }
  const auto stream = stream_of(operands.x);
  auto least = milliseconds(stream, [&] { return libtorchs().defined(); });
  Plan best;
  for (const auto& plan : plans) {
    const auto time = milliseconds(stream, [&] { return plan->run(operands); });
    if (!time || (least && *time >= *least)) continue;
    best = plan;
    least = time;
  }
  if (best == nullptr) {
    tuning().put(problem.name(), "libtorch");
    return nullptr;
  }
  best->run(operands);
  if (agrees(operands.out, libtorchs())) return best;
  add_note(concat("cuDNN's plan gave another result than LibTorch for the ", problem.name(), " and is not used"));
  return nullptr;
}

using PlanChoices = Choices<decltype(ConvolutionProblem().key()), Plan>;

at::Tensor channels_last(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

bool fits(const ConvolutionProblem& p, const ConvolutionOperands& operands) {
  const auto alike = [&](const at::Tensor& x) {
    return !x.defined() || (x.scalar_type() == p.dtype && is_aligned(x) && x.is_cuda());
  };
  return is_element(p.dtype) && p.in % 8 == 0 && p.out % 8 == 0 && operands.bias.defined() && alike(operands.x) &&
         alike(operands.weight) && alike(operands.bias) && alike(operands.residual);
}

}  // namespace

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                       std::int64_t padding, const CudaSum& sum) {
  const c10::cuda::CUDAGuard guard(x.device());
  ConvolutionOperands operands{channels_last(x), channels_last(weight), bias, sum.residual, {}};
  if (sum.residual.defined()) operands.residual = channels_last(sum.residual);
  const ConvolutionProblem problem{x.size(0),      x.size(1), x.size(2), x.size(3),       weight.size(0),
                                   weight.size(2), stride,    padding,   x.scalar_type(), sum.residual.defined()};
  if (!fits(problem, operands)) return plain(operands, stride, padding);
  auto& known = one_per_gpu<PlanChoices>(x.device().index());
  auto plan = known.find(problem.key());
  if (!plan && is_capturing(x)) return plain(operands, stride, padding);  // nothing can be tried now
  operands.out = at::empty({problem.batch, problem.out, problem.out_height(), problem.out_width()}, x.options(),
                           at::MemoryFormat::ChannelsLast);
  if (!plan) {
    plan = decide(problem, operands);
    known.put(problem.key(), *plan);
  }
  if (*plan == nullptr || !(*plan)->run(operands)) return plain(operands, stride, padding);
  return operands.out;
}

}  // namespace fjord::cuda
