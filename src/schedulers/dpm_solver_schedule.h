// The noise levels that a DPM-Solver run visits, and the settings that its multistep and singlestep forms share.
#pragma once

#include "config/scheduler.h"
#include "schedulers/clean_limit.h"
#include "schedulers/dpm_solver_update.h"
#include "schedulers/prediction.h"
#include "schedulers/timestep_spacing.h"

#include <fjord/torch/scheduler.h>

#include <ATen/core/Tensor.h>

#include <vector>

namespace fjord::schedulers {

// How the levels are spread over the steps.
enum class LevelSpread { kTimesteps, kKarras, kExponential, kLu };

// Timesteps, and one noise-to-signal ratio more than timesteps: the last is where the run ends. Ratios are float32
// values, as in the reference.
struct DpmLevels {
  std::vector<double> timesteps;
  std::vector<double> ratios;
};

// What the configuration says, read once; immutable.
class DpmSchedule {
 public:
  // What differs between the two classes.
  struct Traits {
    bool zero_snr = false;           // knows rescale_betas_zero_snr
    bool spacing = false;            // knows timestep_spacing and steps_offset, else linspace
    bool lu = false;                 // knows use_lu_lambdas
    bool fractional_karras = false;  // does not round Karras timesteps of the cosine schedule to the nearest
  };
  // Throws kUnsupported or kInvalidArgument, naming the field, for a configuration that it does not understand.
  DpmSchedule(const config::Scheduler& config, const Traits& traits);

  // Throws kInvalidArgument for a plan that does not fit.
  DpmLevels levels(const SchedulePlan& plan) const;
  std::int64_t num_train_timesteps() const { return train_; }
  bool ends_clean() const { return ends_clean_; }
  std::int64_t order() const { return order_; }
  const DpmAlgorithm& algorithm() const { return algorithm_; }

  // The prediction that the algorithm integrates (x_0 or eps, limited), in the sample's dtype.
  at::Tensor convert(const at::Tensor& prediction, const at::Tensor& sample, double ratio) const;
  at::Tensor predict_clean(const at::Tensor& prediction, const at::Tensor& sample, double ratio) const;

 private:
  std::vector<double> planned_timesteps(const SchedulePlan& plan) const;
  std::vector<double> spread_ratios(std::int64_t steps) const;
  double timestep_of(double ratio) const;
  void check_levels(const DpmLevels& levels) const;

  std::int64_t train_;
  std::vector<double> ratio_table_;      // sigma_t / alpha_t of every training timestep, float32 values
  std::vector<double> log_ratio_table_;  // float32 values
  SolverSpacing spacing_;
  LevelSpread spread_;
  bool round_timesteps_;
  bool ends_clean_;
  std::int64_t order_;
  DpmAlgorithm algorithm_;
  PredictionType type_;
  CleanLimit limit_;
  bool learned_variance_;
};

}  // namespace fjord::schedulers
