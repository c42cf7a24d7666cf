#include "schedulers/sigma_run.h"

#include "core/check.h"

#include <cmath>

namespace fjord::schedulers {

SigmaEvaluations evaluations(const SigmaSchedule& schedule, const SigmaSteps& steps) {
  return {steps.timesteps, steps.sigmas, steps.sigmas, schedule.init_noise_sigma(steps.sigmas.front()), 1};
}

SigmaEvaluations evaluations_with(const SigmaSchedule& schedule, const SigmaSteps& steps, const SigmaSteps& seconds) {
  check(steps.sigmas.back() <= 0, ErrorCode::kInvalidArgument,
        "custom sigmas must end at 0 for a scheduler with two evaluations a step, got ", steps.sigmas.back());
  SigmaEvaluations result;
  for (size_t i = 0; i < steps.timesteps.size(); ++i) {
    if (i > 0) {
      result.timesteps.push_back(seconds.timesteps[i - 1]);
      result.sigmas.push_back(seconds.sigmas[i - 1]);
      result.noise_sigmas.push_back(steps.sigmas[i]);
    }
    result.timesteps.push_back(steps.timesteps[i]);
    result.sigmas.push_back(steps.sigmas[i]);
    result.noise_sigmas.push_back(steps.sigmas[i]);
  }
  result.init_noise_sigma = schedule.init_noise_sigma(steps.sigmas.front());
  result.per_step = 2;
  return result;
}

SigmaRun::SigmaRun(PredictionType type, SigmaEvaluations evaluations)
    : type_(type),
      evaluations_(std::move(evaluations)),
      order_(static_cast<std::int64_t>(evaluations_.timesteps.size())) {}

at::Tensor SigmaRun::scale_model_input(const at::Tensor& sample, std::int64_t i) const {
  order_.check_index(i);
  return sample / std::sqrt(sigma(i) * sigma(i) + 1);
}

at::Tensor SigmaRun::predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const {
  order_.check_index(i);
  const at::Tensor mean = split_prediction(prediction, sample, false).mean;
  return to_clean_exploding(type_, mean, sample, sigma(i), sigma(i));
}

at::Tensor SigmaRun::add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t i) const {
  order_.check_index(i);
  return mix_noise(clean, noise, {1, evaluations_.noise_sigmas[static_cast<size_t>(i)]});
}

at::Tensor SigmaRun::advance(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) {
  const at::Tensor mean = split_prediction(prediction, sample, false).mean;
  if (!begun_) {
    order_.check_index(i);
    check(begins_step(i), ErrorCode::kInvalidArgument, "a run must begin with a whole step, at a multiple of ",
          evaluations_.per_step, " evaluations, got ", i);
  }
  order_.advance(i);
  begun_ = true;
  return mean;
}

at::Tensor widened(const at::Tensor& sample) {
  return sample.scalar_type() == at::kDouble ? sample : sample.to(at::kFloat);
}

}  // namespace fjord::schedulers
