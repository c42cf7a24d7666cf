// DPM-Solver, arXiv:2206.00927, and the spreads of noise levels that came after it.
//   ratio           sigma / alpha at a timestep, "sigmas" in diffusers; lambda = -log(ratio)
//   kTimesteps      the ratios of the spaced timesteps
//   kKarras         (a + i/(n-1) (b - a))^rho with a, b the rho-th roots of the extremes, rho = 7   arXiv:2206.00364,
//   eq. 5 kExponential    log(ratio) uniform;  kLu: lambda uniform arXiv:2206.00927, sec. 5
// The timestep told to the network is found by linear interpolation in log(ratio) and then made whole.
#include "schedulers/dpm_solver_schedule.h"

#include "core/check.h"
#include "schedulers/choice.h"
#include "schedulers/noise_schedule.h"

#include <ATen/ops/flip.h>
#include <ATen/ops/log.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/sqrt.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace fjord::schedulers {
namespace {

double as_float(double value) { return static_cast<double>(static_cast<float>(value)); }

void refuse(bool wanted, const char* field) {
  check(!wanted, ErrorCode::kUnsupported, field, " is not supported; expected false");
}

LevelSpread level_spread(const config::Scheduler& config, bool knows_lu) {
  refuse(config.use_beta_sigmas.value_or(false), "use_beta_sigmas");
  refuse(config.use_flow_sigmas.value_or(false), "use_flow_sigmas");
  refuse(config.use_dynamic_shifting.value_or(false), "use_dynamic_shifting");
  const bool karras = config.use_karras_sigmas.value_or(false);
  const bool exponential = config.use_exponential_sigmas.value_or(false);
  check(!karras || !exponential, ErrorCode::kInvalidArgument,
        "only one of use_karras_sigmas and use_exponential_sigmas can be true");
  if (karras) return LevelSpread::kKarras;
  if (knows_lu && config.use_lu_lambdas.value_or(false)) return LevelSpread::kLu;
  return exponential ? LevelSpread::kExponential : LevelSpread::kTimesteps;
}

at::Tensor solver_alphas_cumprod(const config::Scheduler& config, bool zero_snr) {
  at::Tensor table = alphas_cumprod(config, zero_snr);
  // A ratio of infinity could not be stepped from: the smallest float16 stands for 0, as in diffusers.
  if (zero_snr) table[-1] = 0x1p-24;
  const auto values = to_doubles(table);
  check(values.front() < 1 && values.back() > 0, ErrorCode::kInvalidArgument,
        "DPM-Solver needs some noise at the first training timestep and some signal at the last, got alphas_cumprod ",
        values.front(), " and ", values.back());
  return table;
}

// How many of the noisiest timesteps are cut off because their lambda is below `lambda_min`.
std::int64_t clipped_timesteps(const at::Tensor& alpha_bar, double lambda_min) {
  const at::Tensor lambda = alpha_bar.sqrt().log() - (1 - alpha_bar).sqrt().log();
  return at::searchsorted(lambda.flip(0).contiguous(), lambda_min).item<std::int64_t>();
}

SolverSpacing solver_spacing(const config::Scheduler& config, const DpmSchedule::Traits& traits,
                             const at::Tensor& alpha_bar) {
  SolverSpacing spacing;
  spacing.train = alpha_bar.size(0);
  const double lambda_min = config.lambda_min_clipped.value_or(-std::numeric_limits<double>::infinity());
  spacing.last = spacing.train - clipped_timesteps(alpha_bar, lambda_min);
  check(spacing.last >= 1, ErrorCode::kInvalidArgument, "lambda_min_clipped ", lambda_min, " leaves no timestep");
  if (!traits.spacing) return spacing;
  spacing.spacing = timestep_spacing(config, "linspace");
  spacing.offset = config.steps_offset.value_or(0);
  return spacing;
}

}  // namespace

DpmSchedule::DpmSchedule(const config::Scheduler& config, const Traits& traits)
    : train_(schedulers::num_train_timesteps(config)),
      spread_(level_spread(config, traits.lu)),
      round_timesteps_(spread_ == LevelSpread::kKarras || spread_ == LevelSpread::kLu),
      ends_clean_(
          choose<bool>("final_sigmas_type", config.final_sigmas_type, "zero", {{"zero", true}, {"sigma_min", false}})),
      order_(config.solver_order.value_or(2)),
      algorithm_(dpm_algorithm(config)),
      type_(prediction_type(config)),
      limit_(config, /*clips=*/false),
      learned_variance_(config.variance_type == "learned" || config.variance_type == "learned_range") {
  check(order_ >= 1 && order_ <= 3, ErrorCode::kUnsupported, "solver_order ", order_,
        " is not supported; expected 1, 2 or 3");
  check(algorithm_.data_prediction || !ends_clean_, ErrorCode::kUnsupported, "algorithm_type ",
        fjord::quoted(config.algorithm_type.value_or("")),
        " cannot end at a noise level of 0; set final_sigmas_type to sigma_min");
  const bool cosine = config.beta_schedule == "squaredcos_cap_v2";
  if (traits.fractional_karras && cosine) round_timesteps_ = false;
  const at::Tensor alpha_bar =
      solver_alphas_cumprod(config, traits.zero_snr && config.rescale_betas_zero_snr.value_or(false));
  spacing_ = solver_spacing(config, traits, alpha_bar);
  ratio_table_ = to_doubles(at::pow((1 - alpha_bar) / alpha_bar, 0.5));
  for (const double ratio : ratio_table_) log_ratio_table_.push_back(as_float(std::log(ratio)));
}

DpmLevels DpmSchedule::levels(const SchedulePlan& plan) const {
  check_plan(plan, train_);
  DpmLevels levels;
  if (spread_ == LevelSpread::kTimesteps) {
    levels.timesteps = planned_timesteps(plan);
    check_in_table(levels.timesteps, train_);
    for (const double timestep : levels.timesteps) {
      levels.ratios.push_back(ratio_table_[static_cast<size_t>(timestep)]);
    }
  } else {
    check(plan.timesteps.empty(), ErrorCode::kInvalidArgument,
          "custom timesteps cannot be used together with use_karras_sigmas, use_exponential_sigmas or use_lu_lambdas");
    levels.ratios = spread_ratios(plan.steps);
    for (double& ratio : levels.ratios) {
      levels.timesteps.push_back(timestep_of(ratio));
      ratio = as_float(ratio);
    }
  }
  levels.ratios.push_back(ends_clean_ ? 0.0 : ratio_table_.front());
  check_levels(levels);
  return levels;
}

std::vector<double> DpmSchedule::planned_timesteps(const SchedulePlan& plan) const {
  return plan.timesteps.empty() ? spaced_solver_timesteps(spacing_, plan.steps) : plan.timesteps;
}

std::vector<double> DpmSchedule::spread_ratios(std::int64_t steps) const {
  const double low = ratio_table_.front();
  const double high = ratio_table_.back();
  std::vector<double> ratios;
  switch (spread_) {
    case LevelSpread::kKarras: {
      constexpr double kRho = 7;
      const double from = std::pow(high, 1 / kRho);
      const double to = std::pow(low, 1 / kRho);
      for (const double ramp : linspace(0, 1, steps)) ratios.push_back(std::pow(from + ramp * (to - from), kRho));
      return ratios;
    }
    case LevelSpread::kLu: {
      const double from = log_ratio_table_.back();
      const double to = log_ratio_table_.front();
      for (const double ramp : linspace(0, 1, steps)) ratios.push_back(std::exp(from + ramp * (to - from)));
      return ratios;
    }
    case LevelSpread::kExponential:
    case LevelSpread::kTimesteps: break;
  }
  for (const double log_ratio : linspace(std::log(high), std::log(low), steps)) ratios.push_back(std::exp(log_ratio));
  return ratios;
}

double DpmSchedule::timestep_of(double ratio) const {
  const double log_ratio = std::log(std::max(ratio, 1e-10));
  // the last entry not above log_ratio, and its neighbour
  const auto above = std::upper_bound(log_ratio_table_.begin(), log_ratio_table_.end(), log_ratio);
  const auto last_pair = static_cast<std::ptrdiff_t>(log_ratio_table_.size()) - 2;
  const std::ptrdiff_t low = std::clamp<std::ptrdiff_t>(above - log_ratio_table_.begin() - 1, 0, last_pair);
  const double from = log_ratio_table_[static_cast<size_t>(low)];
  const double to = log_ratio_table_[static_cast<size_t>(low) + 1];
  const double weight = std::clamp((from - log_ratio) / as_float(from - to), 0.0, 1.0);
  const double timestep = (1 - weight) * static_cast<double>(low) + weight * static_cast<double>(low + 1);
  return round_timesteps_ ? std::nearbyint(timestep) : std::trunc(timestep);
}

void DpmSchedule::check_levels(const DpmLevels& levels) const {
  if (order_ == 1) return;  // a step that goes nowhere is harmless; derivatives along it are not
  for (size_t i = 0; i + 2 < levels.ratios.size(); ++i) {
    check(levels.ratios[i] > levels.ratios[i + 1], ErrorCode::kInvalidArgument, "with ", levels.timesteps.size(),
          " steps DPM-Solver visits one noise level twice (at step ", i + 1, "); take fewer steps");
  }
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
