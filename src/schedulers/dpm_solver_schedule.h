// The settings that the multistep and singlestep forms of DPM-Solver share.
#pragma once

#include "config/scheduler.h"
#include "schedulers/clean_limit.h"
#include "schedulers/dpm_solver_update.h"
#include "schedulers/prediction.h"
#include "schedulers/solver_levels.h"

#include <fjord/torch/scheduler.h>

#include <ATen/core/Tensor.h>

namespace fjord::schedulers {

// What the configuration says, read once; immutable.
class DpmSchedule {
 public:
  // Throws kUnsupported or kInvalidArgument, naming the field, for a configuration that it does not understand.
  DpmSchedule(const config::Scheduler& config, const SolverSchedule::Traits& traits);

  // Throws kInvalidArgument for a plan that does not fit.
  SolverLevels levels(const SchedulePlan& plan) const;
  std::int64_t num_train_timesteps() const { return schedule_.num_train_timesteps(); }
  bool ends_clean() const { return schedule_.ends_clean(); }
  std::int64_t order() const { return order_; }
  const DpmAlgorithm& algorithm() const { return algorithm_; }

  // The prediction that the algorithm integrates (x_0 or eps, limited), in the sample's dtype.
  at::Tensor convert(const at::Tensor& prediction, const at::Tensor& sample, double ratio) const;
  at::Tensor predict_clean(const at::Tensor& prediction, const at::Tensor& sample, double ratio) const;

 private:
  SolverSchedule schedule_;
  std::int64_t order_;
  DpmAlgorithm algorithm_;
  PredictionType type_;
  CleanLimit limit_;
  bool learned_variance_;
};

}  // namespace fjord::schedulers
