// What the runs of Euler and its kin share: samples x = x_0 + sigma eps, scaled to unit variance for the network.
#pragma once

#include "schedulers/prediction.h"
#include "schedulers/sigma_schedule.h"
#include "schedulers/step_order.h"

#include <fjord/torch/scheduler.h>

#include <vector>

namespace fjord::schedulers {

// One entry an evaluation.
struct SigmaEvaluations {
  std::vector<double> timesteps;
  std::vector<double> sigmas;        // of the sample that the network sees
  std::vector<double> noise_sigmas;  // that add_noise gives; the reference has others where a solver looks ahead
  double init_noise_sigma = 1;
  std::int64_t per_step = 1;
};

// One evaluation a step, at its level.
SigmaEvaluations evaluations(const SigmaSchedule& schedule, const SigmaSteps& steps);
// Two evaluations a step but for the last, the second at `sigmas` and `timesteps` of the step.
SigmaEvaluations evaluations_with(const SigmaSchedule& schedule, const SigmaSteps& steps, const SigmaSteps& seconds);

class SigmaRun : public SchedulerRun {
 public:
  SigmaRun(PredictionType type, SigmaEvaluations evaluations);

  const std::vector<double>& timesteps() const override { return evaluations_.timesteps; }
  std::int64_t evaluations_per_step() const override { return evaluations_.per_step; }
  double init_noise_sigma() const override { return evaluations_.init_noise_sigma; }
  at::Tensor scale_model_input(const at::Tensor& sample, std::int64_t i) const override;
  at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const override;
  at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t i) const override;

 protected:
  // Keeps the order of the calls. A run of two evaluations a step begins with the first of them. Returns the prediction
  // in the dtype of the sample.
  at::Tensor advance(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample);
  // Throws kInvalidArgument unless i is an evaluation of the run.
  double sigma(std::int64_t i) const {
    order_.check_index(i);
    return evaluations_.sigmas[static_cast<size_t>(i)];
  }
  PredictionType type() const { return type_; }
  // Whether evaluation i is the first of its step.
  bool begins_step(std::int64_t i) const { return i % evaluations_.per_step == 0; }

 private:
  PredictionType type_;
  SigmaEvaluations evaluations_;
  StepOrder order_;
  bool begun_ = false;
};

// The sample in the precision in which the reference adds it up: float32, or double as it is.
at::Tensor widened(const at::Tensor& sample);

}  // namespace fjord::schedulers
