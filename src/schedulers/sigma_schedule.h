// The noise levels that a run of Euler and its kin visits: schedulers that take samples x = x_0 + sigma eps.
// "Elucidating the Design Space of Diffusion-Based Generative Models", Karras et al. 2022, arXiv:2206.00364.
#pragma once

#include "config/scheduler.h"
#include "schedulers/prediction.h"
#include "schedulers/sigma_spread.h"
#include "schedulers/timestep_spacing.h"
#include "schedulers/training_levels.h"

#include <fjord/torch/scheduler.h>

#include <vector>

namespace fjord::schedulers {

// One timestep a step, and at least one sigma more than timesteps. Sigmas are float32 values.
struct SigmaSteps {
  std::vector<double> timesteps;
  std::vector<double> sigmas;
  std::vector<double> exact_sigmas;  // before they were rounded
};

// What the configuration says, read once; immutable.
class SigmaSchedule {
 public:
  // What differs between the classes.
  struct Traits {
    bool zero_snr = false;        // knows rescale_betas_zero_snr
    bool spreads = true;          // knows use_karras_sigmas, use_exponential_sigmas and use_beta_sigmas
    bool euler = false;           // knows final_sigmas_type, interpolation_type, timestep_type, sigma_min and sigma_max
    bool wide_timesteps = false;  // keeps timesteps in double throughout
    bool wide_spread = false;     // keeps those of spread levels in double
    bool rounds_karras = false;   // makes the timesteps of Karras levels whole
  };
  // Throws kUnsupported or kInvalidArgument, naming the field, for a configuration that it does not understand.
  SigmaSchedule(const config::Scheduler& config, const Traits& traits);

  // Throws kInvalidArgument for a plan that does not fit.
  SigmaSteps steps(const SchedulePlan& plan) const;
  // The standard deviation of the initial noise of a run that begins at `highest`.
  double init_noise_sigma(double highest) const;
  std::int64_t num_train_timesteps() const { return training_.count(); }
  const TrainingLevels& training() const { return training_; }
  PredictionType type() const { return type_; }

 private:
  std::vector<double> spaced(std::int64_t steps) const;
  SigmaSteps placed(const SchedulePlan& plan) const;
  SigmaSteps given(const std::vector<double>& sigmas) const;
  void spread(SigmaSteps& placed) const;

  Traits traits_;
  TrainingLevels training_;
  PredictionType type_;
  SigmaSpread spread_;
  std::vector<double> table_;
  std::optional<double> sigma_min_;
  std::optional<double> sigma_max_;
  Spacing spacing_;
  std::int64_t offset_;
  bool log_linear_;
  bool continuous_;  // the network is told log(sigma) / 4
  bool ends_clean_;
};

}  // namespace fjord::schedulers
