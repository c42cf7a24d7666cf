#include "schedulers/dpm_solver_schedule.h"

#include "core/check.h"

namespace fjord::schedulers {

DpmSchedule::DpmSchedule(const config::Scheduler& config, const SolverSchedule::Traits& traits)
    : schedule_(config, traits),
      order_(config.solver_order.value_or(2)),
      algorithm_(dpm_algorithm(config)),
      type_(prediction_type(config)),
      limit_(config, CleanLimit::Clipping::kUnknown),
      learned_variance_(config.variance_type == "learned" || config.variance_type == "learned_range") {
  check(order_ >= 1 && order_ <= 3, ErrorCode::kUnsupported, "solver_order ", order_,
        " is not supported; expected 1, 2 or 3");
  check(algorithm_.data_prediction || !ends_clean(), ErrorCode::kUnsupported, "algorithm_type ",
        fjord::quoted(config.algorithm_type.value_or("")),
        " cannot end at a noise level of 0; set final_sigmas_type to sigma_min");
}

SolverLevels DpmSchedule::levels(const SchedulePlan& plan) const {
  auto levels = schedule_.levels(plan, /*distinct=*/order_ > 1);
  check(algorithm_.data_prediction || levels.ratios.back() > 0, ErrorCode::kInvalidArgument,
        "this algorithm_type cannot end at a noise level of 0; custom sigmas must end above it");
  return levels;
}

at::Tensor DpmSchedule::convert(const at::Tensor& prediction, const at::Tensor& sample, double ratio) const {
  const NoiseLevel level = level_of_ratio(ratio);
  const at::Tensor mean = split_prediction(prediction, sample, learned_variance_).mean;
  if (algorithm_.data_prediction) return limit_.apply(to_clean(type_, mean, sample, level));
  const at::Tensor noise = to_noise(type_, mean, sample, level);
  if (!limit_.active()) return noise;
  const at::Tensor clean = limit_.apply(to_clean(PredictionType::kEpsilon, noise, sample, level));
  return to_noise(PredictionType::kSample, clean, sample, level);
}

at::Tensor DpmSchedule::predict_clean(const at::Tensor& prediction, const at::Tensor& sample, double ratio) const {
  const at::Tensor mean = split_prediction(prediction, sample, learned_variance_).mean;
  return limit_.apply(to_clean(type_, mean, sample, level_of_ratio(ratio)));
}

}  // namespace fjord::schedulers
