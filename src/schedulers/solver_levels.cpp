// The timestep told to the network is found by linear interpolation in log(ratio) and then made whole.
#include "schedulers/solver_levels.h"

#include "core/check.h"
#include "schedulers/choice.h"

#include <ATen/ops/flip.h>
#include <ATen/ops/log.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/sqrt.h>

#include <cmath>
#include <limits>

namespace fjord::schedulers {
namespace {

void refuse(bool wanted, const char* field) {
  check(!wanted, ErrorCode::kUnsupported, field, " is not supported; expected false");
}

SigmaSpread solver_spread(const config::Scheduler& config, bool knows_lu) {
  refuse(config.use_flow_sigmas.value_or(false), "use_flow_sigmas");
  refuse(config.use_dynamic_shifting.value_or(false), "use_dynamic_shifting");
  return sigma_spread(config, knows_lu);
}

// How many of the noisiest timesteps are cut off because their lambda is below `lambda_min`.
std::int64_t clipped_timesteps(const at::Tensor& alpha_bar, double lambda_min) {
  const at::Tensor lambda = alpha_bar.sqrt().log() - (1 - alpha_bar).sqrt().log();
  return at::searchsorted(lambda.flip(0).contiguous(), lambda_min).item<std::int64_t>();
}

SolverSpacing solver_spacing(const config::Scheduler& config, const SolverSchedule::Traits& traits,
                             const TrainingLevels& training) {
  SolverSpacing spacing;
  spacing.train = training.count();
  spacing.last = spacing.train;
  if (traits.cuts_noisiest) {
    const double lambda_min = config.lambda_min_clipped.value_or(-std::numeric_limits<double>::infinity());
    spacing.last -= clipped_timesteps(training.alphas_cumprod(), lambda_min);
    check(spacing.last >= 1, ErrorCode::kInvalidArgument, "lambda_min_clipped ", lambda_min, " leaves no timestep");
  }
  if (!traits.spacing) return spacing;
  spacing.spacing = timestep_spacing(config, "linspace");
  spacing.offset = config.steps_offset.value_or(0);
  return spacing;
}

}  // namespace

SolverSchedule::SolverSchedule(const config::Scheduler& config, const Traits& traits)
    : training_(config, traits.zero_snr && config.rescale_betas_zero_snr.value_or(false)),
      spread_(solver_spread(config, traits.lu)),
      table_(config.sigma_table.value_or(std::vector<double>{})),
      range_(sigma_range(config, traits.own_range, {training_.highest(), training_.lowest()})),
      spacing_(solver_spacing(config, traits, training_)),
      round_timesteps_(spread_ != SigmaSpread::kExponential && spread_ != SigmaSpread::kBeta),
      repeats_last_(traits.repeats_last),
      ends_clean_(traits.final_sigmas && choose<bool>("final_sigmas_type", config.final_sigmas_type, "zero",
                                                      {{"zero", true}, {"sigma_min", false}})) {
  if (traits.fractional_karras && config.beta_schedule == "squaredcos_cap_v2") round_timesteps_ = false;
}

void SolverSchedule::place_timesteps(const SchedulePlan& plan, SolverLevels& levels) const {
  levels.timesteps = plan.timesteps.empty() ? spaced_solver_timesteps(spacing_, plan.steps) : plan.timesteps;
  check_in_table(levels.timesteps, num_train_timesteps());
  for (const double timestep : levels.timesteps) levels.ratios.push_back(training_.sigma_at(timestep));
}

void SolverSchedule::place_sigmas(const SchedulePlan& plan, SolverLevels& levels) const {
  levels.ratios = plan.sigmas;
  if (plan.sigmas.empty()) {
    check(plan.timesteps.empty(), ErrorCode::kInvalidArgument,
          "custom timesteps cannot be used together with use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas, "
          "use_lu_lambdas or sigma_table");
    levels.ratios = spread_ == SigmaSpread::kTable ? interpolated_sigmas(table_, plan.steps)
                                                   : spread_sigmas(spread_, range_, plan.steps);
  } else {
    levels.ratios.pop_back();
  }
  for (double& ratio : levels.ratios) {
    const double timestep = training_.timestep_of(ratio);
    levels.timesteps.push_back(round_timesteps_ ? std::nearbyint(timestep) : std::trunc(timestep));
    ratio = as_float(ratio);
  }
}

double SolverSchedule::last_ratio(const SchedulePlan& plan, const SolverLevels& levels) const {
  if (!plan.sigmas.empty()) return plan.sigmas.back();
  if (ends_clean_) return 0;
  if (spread_ == SigmaSpread::kTable) return table_.back();
  return repeats_last_ && spread_ != SigmaSpread::kTimesteps ? levels.ratios.back() : training_.lowest();
}

SolverLevels SolverSchedule::levels(const SchedulePlan& plan, bool distinct) const {
  check_plan(plan, num_train_timesteps(), {.sigmas = true});
  SolverLevels levels;
  const bool by_timesteps = spread_ == SigmaSpread::kTimesteps && plan.sigmas.empty();
  if (by_timesteps) {
    place_timesteps(plan, levels);
  } else {
    place_sigmas(plan, levels);
  }
  levels.ratios.push_back(as_float(last_ratio(plan, levels)));
  // A step that goes nowhere is harmless; derivatives along it are not.
  for (size_t i = 0; distinct && i + 2 < levels.ratios.size(); ++i) {
    check(levels.ratios[i] > levels.ratios[i + 1], ErrorCode::kInvalidArgument, "with ", levels.timesteps.size(),
          " steps the solver visits one noise level twice (at step ", i + 1, "); take fewer steps");
  }
  return levels;
}

}  // namespace fjord::schedulers
