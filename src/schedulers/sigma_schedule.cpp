// Tables are rounded to float32 where the reference does it.
#include "schedulers/sigma_schedule.h"

#include "core/check.h"
#include "schedulers/choice.h"
#include "schedulers/noise_schedule.h"

#include <ATen/ops/exp.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/log.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>

namespace fjord::schedulers {
namespace {

// The ends that the configuration gives are kept apart from those of the run, which it replaces one by one.
std::optional<double> known(bool knows, const std::optional<double>& value) { return knows ? value : std::nullopt; }

bool is_continuous(const config::Scheduler& config, PredictionType type) {
  const bool asked =
      choose<bool>("timestep_type", config.timestep_type, "discrete", {{"discrete", false}, {"continuous", true}});
  return asked && type == PredictionType::kVelocity;
}

SigmaSpread known_spread(const config::Scheduler& config, bool spreads) {
  if (spreads) return sigma_spread(config, /*knows_lu=*/false);
  config::Scheduler table_only;
  table_only.sigma_table = config.sigma_table;
  return sigma_spread(table_only, false);
}

// The reference's "log_linear": one level more than steps.
std::vector<double> log_linear_sigmas(const TrainingLevels& training, std::int64_t steps) {
  const double high = as_float(std::log(training.highest()));
  const double low = as_float(std::log(training.lowest()));
  return to_doubles(at::linspace(high, low, steps + 1, at::kFloat).exp());
}

}  // namespace

SigmaSchedule::SigmaSchedule(const config::Scheduler& config, const Traits& traits)
    : traits_(traits),
      training_(config, traits.zero_snr && config.rescale_betas_zero_snr.value_or(false)),
      type_(prediction_type(config)),
      spread_(known_spread(config, traits.spreads)),
      table_(config.sigma_table.value_or(std::vector<double>{})),
      sigma_min_(known(traits.euler, config.sigma_min)),
      sigma_max_(known(traits.euler, config.sigma_max)),
      spacing_(timestep_spacing(config, "linspace")),
      offset_(config.steps_offset.value_or(0)),
      log_linear_(traits.euler && choose<bool>("interpolation_type", config.interpolation_type, "linear",
                                               {{"linear", false}, {"log_linear", true}})),
      continuous_(traits.euler && is_continuous(config, type_)),
      ends_clean_(!traits.euler || choose<bool>("final_sigmas_type", config.final_sigmas_type, "zero",
                                                {{"zero", true}, {"sigma_min", false}})) {}

std::vector<double> SigmaSchedule::spaced(std::int64_t steps) const {
  if (spacing_ != Spacing::kLinspace) return spaced_timesteps(spacing_, training_.count(), steps, offset_);
  auto timesteps = linspace(0, static_cast<double>(training_.count() - 1), steps);
  std::reverse(timesteps.begin(), timesteps.end());
  return timesteps;
}

SigmaSteps SigmaSchedule::given(const std::vector<double>& sigmas) const {
  using Arithmetic = TrainingLevels::Arithmetic;
  SigmaSteps result;
  for (const double sigma : sigmas) {
    result.sigmas.push_back(traits_.euler ? as_float(sigma) : sigma);
    result.timesteps.push_back(
        training_.timestep_of(result.sigmas.back(), traits_.euler ? Arithmetic::kFloatWeight : Arithmetic::kDouble));
  }
  result.timesteps.pop_back();
  return result;
}

void SigmaSchedule::spread(SigmaSteps& placed) const {
  const auto steps = static_cast<std::int64_t>(placed.timesteps.size());
  if (spread_ == SigmaSpread::kTable) {
    placed.sigmas = interpolated_sigmas(table_, steps);
  } else {
    const SigmaRange range{sigma_max_.value_or(placed.sigmas.front()), sigma_min_.value_or(placed.sigmas.back())};
    check(steps == 1 || range.low < range.high, ErrorCode::kInvalidArgument, "expected sigma_min below sigma_max, got ",
          range.low, " and ", range.high);
    placed.sigmas = spread_sigmas(spread_, range, steps);
  }
  for (size_t i = 0; i < placed.timesteps.size(); ++i) {
    placed.timesteps[i] = training_.timestep_of(placed.sigmas[i]);
    if (traits_.rounds_karras && spread_ == SigmaSpread::kKarras) {
      placed.timesteps[i] = std::nearbyint(placed.timesteps[i]);
    }
  }
}

SigmaSteps SigmaSchedule::placed(const SchedulePlan& plan) const {
  SigmaSteps result;
  result.timesteps = plan.timesteps.empty() ? spaced(plan.steps) : plan.timesteps;
  check_in_table(result.timesteps, training_.count());
  for (double& timestep : result.timesteps) {
    if (!traits_.wide_timesteps) timestep = as_float(timestep);
    result.sigmas.push_back(training_.sigma_at(timestep));
  }
  const bool moved = spread_ != SigmaSpread::kTimesteps;
  check(plan.timesteps.empty() || (!moved && !continuous_), ErrorCode::kInvalidArgument,
        "custom timesteps cannot be used together with use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas, "
        "sigma_table or a continuous timestep_type");
  if (log_linear_) {
    result.sigmas = log_linear_sigmas(training_, static_cast<std::int64_t>(result.timesteps.size()));
  }
  if (moved) spread(result);
  const double lowest = spread_ == SigmaSpread::kTable ? table_.back() : training_.lowest();
  result.sigmas.push_back(ends_clean_ ? 0.0 : lowest);
  return result;
}

SigmaSteps SigmaSchedule::steps(const SchedulePlan& plan) const {
  check_plan(plan, training_.count(), {.sigmas = true, .fractional = true});
  SigmaSteps result = plan.sigmas.empty() ? placed(plan) : given(plan.sigmas);
  result.exact_sigmas = result.sigmas;
  for (double& sigma : result.sigmas) sigma = as_float(sigma);
  const bool by_sigmas = spread_ != SigmaSpread::kTimesteps || !plan.sigmas.empty();
  const bool wide = traits_.wide_timesteps || (traits_.wide_spread && by_sigmas);
  for (size_t i = 0; i < result.timesteps.size(); ++i) {
    double& timestep = result.timesteps[i];
    if (continuous_) {
      timestep = (at::tensor(result.sigmas[i], at::kFloat).log() * 0.25).item<double>();
    } else if (!wide) {
      timestep = as_float(timestep);
    }
  }
  return result;
}

double SigmaSchedule::init_noise_sigma(double highest) const {
  if (spacing_ != Spacing::kLeading) return highest;
  return (at::scalar_tensor(highest, at::kFloat).pow(2) + 1).pow(0.5).item<double>();
}

}  // namespace fjord::schedulers
