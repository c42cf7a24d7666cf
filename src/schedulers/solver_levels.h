// The noise levels that a run of a multistep or singlestep solver visits (DPM-Solver, DEIS, UniPC).
#pragma once

#include "config/scheduler.h"
#include "schedulers/sigma_spread.h"
#include "schedulers/timestep_spacing.h"
#include "schedulers/training_levels.h"

#include <fjord/torch/scheduler.h>

#include <vector>

namespace fjord::schedulers {

// Below this many steps, lower_order_final has a meaning in the multistep solvers.
constexpr size_t kFewSteps = 15;

// Whole timesteps, and one noise-to-signal ratio more than timesteps: the last is where the run ends. Ratios are
// float32 values, as in the reference.
struct SolverLevels {
  std::vector<double> timesteps;
  std::vector<double> ratios;
};

// What the configuration says, read once; immutable.
class SolverSchedule {
 public:
  // What differs between the classes.
  struct Traits {
    bool zero_snr = false;           // knows rescale_betas_zero_snr
    bool spacing = false;            // knows timestep_spacing and steps_offset, else linspace
    bool lu = false;                 // knows use_lu_lambdas
    bool cuts_noisiest = false;      // knows lambda_min_clipped
    bool fractional_karras = false;  // does not round Karras timesteps of the cosine schedule to the nearest
    bool final_sigmas = false;       // knows final_sigmas_type, else ends at the lowest level
    bool repeats_last = false;       // spread levels that do not end clean end on the last of them once more
    bool own_range = false;          // knows sigma_min and sigma_max, between which levels are spread
  };
  // Throws kUnsupported or kInvalidArgument, naming the field, for a configuration that it does not understand.
  SolverSchedule(const config::Scheduler& config, const Traits& traits);

  // `distinct`: whether a level may not be visited twice, because derivatives along the run are taken. Throws
  // kInvalidArgument for a plan that does not fit.
  SolverLevels levels(const SchedulePlan& plan, bool distinct) const;
  std::int64_t num_train_timesteps() const { return training_.count(); }
  bool ends_clean() const { return ends_clean_; }

 private:
  void place_timesteps(const SchedulePlan& plan, SolverLevels& levels) const;
  void place_sigmas(const SchedulePlan& plan, SolverLevels& levels) const;
  double last_ratio(const SchedulePlan& plan, const SolverLevels& levels) const;

  TrainingLevels training_;
  SigmaSpread spread_;
  std::vector<double> table_;
  SigmaRange range_;
  SolverSpacing spacing_;
  bool round_timesteps_;
  bool repeats_last_;
  bool ends_clean_;
};

}  // namespace fjord::schedulers
