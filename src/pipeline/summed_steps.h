// Guidance and the solver's step in one kernel on a GPU: where both are sums, the latents after a step are a sum of the
// latents and the U-Net's outputs, of this step and of earlier ones, with factors that are known before the first step
// and lie on the GPU.
#pragma once

#include "core/cuda_ops.h"
#include "schedulers/linear_steps.h"

#include <deque>
#include <functional>
#include <optional>
#include <vector>

namespace fjord::pipeline {

class SummedSteps {
 public:
  // `weights`: of the branches that an evaluation runs, in their order, in the guided prediction. None if a step has
  // more terms than the kernel takes.
  static std::optional<SummedSteps> make(const CudaOps& ops, at::Device device,
                                         std::vector<schedulers::LinearStep> steps,
                                         std::vector<std::vector<double>> weights);

  // What a step works on.
  struct Moment {
    int evaluation = 0;  // of the pass, from 0, rising by one from call to call
    at::Tensor latents;  // [images, channels, height, width]
    at::Tensor outputs;  // of the U-Net, branch after branch: [branches * images, ...]
  };
  // The latents after the step. `draw` is asked for noise where the solver would ask. `flag`: as CudaOps::combine.
  at::Tensor step(const Moment& moment, const DrawNoise& draw, const at::Tensor& flag);
  // The guided prediction of an evaluation.
  at::Tensor guided(const at::Tensor& outputs, int evaluation) const;

 private:
  enum class Source { kLatents, kPrediction, kBranch, kNoise };
  struct Term {
    Source source;
    size_t which;  // lag, or branch
    double factor;
  };

  SummedSteps(const CudaOps& ops, std::vector<schedulers::LinearStep> steps, std::vector<std::vector<double>> weights)
      : ops_(&ops), steps_(std::move(steps)), weights_(std::move(weights)) {}
  std::vector<Term> guidance_terms(size_t evaluation) const;
  std::vector<Term> step_terms(size_t evaluation) const;
  std::vector<at::Tensor> branches(const at::Tensor& outputs, size_t evaluation) const;

  const CudaOps* ops_;
  std::vector<schedulers::LinearStep> steps_;
  std::vector<std::vector<double>> weights_;
  at::Tensor guidance_;                 // factors, float32 [evaluations, 8] on the GPU
  at::Tensor updates_;                  // likewise
  size_t sample_lag_ = 0;               // how far back a step looks
  size_t prediction_lag_ = 0;           // likewise
  std::deque<at::Tensor> samples_;      // of earlier evaluations, latest first
  std::deque<at::Tensor> predictions_;  // guided, likewise
};

}  // namespace fjord::pipeline
