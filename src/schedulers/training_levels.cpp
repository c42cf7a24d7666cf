// The roundings to float32 are those of the reference.
#include "schedulers/training_levels.h"

#include "core/check.h"
#include "schedulers/noise_schedule.h"

#include <ATen/ops/pow.h>

#include <algorithm>
#include <cmath>

namespace fjord::schedulers {

TrainingLevels::TrainingLevels(const config::Scheduler& config, bool zero_snr)
    : alphas_cumprod_(schedulers::alphas_cumprod(config, zero_snr)) {
  if (zero_snr) alphas_cumprod_[-1] = 0x1p-24;
  const auto values = to_doubles(alphas_cumprod_);
  check(values.front() < 1 && values.back() > 0, ErrorCode::kInvalidArgument, config.class_name,
        " needs some noise at the first training timestep and some signal at the last, got alphas_cumprod ",
        values.front(), " and ", values.back());
  sigmas_ = to_doubles(at::pow((1 - alphas_cumprod_) / alphas_cumprod_, 0.5));
  for (const double sigma : sigmas_) log_sigmas_.push_back(as_float(std::log(sigma)));
}

double TrainingLevels::sigma_at(double timestep) const {
  if (timestep >= static_cast<double>(count() - 1)) return highest();
  const double low = std::floor(std::max(timestep, 0.0));
  const auto index = static_cast<size_t>(low);
  return (sigmas_[index + 1] - sigmas_[index]) * (timestep - low) + sigmas_[index];
}

double TrainingLevels::timestep_of(double sigma, Arithmetic arithmetic) const {
  const bool wide = arithmetic == Arithmetic::kDouble;
  const auto rounded = [wide](double value) { return wide ? value : as_float(value); };
  const double log_sigma = rounded(std::log(std::max(sigma, 1e-10)));
  // the last entry not above log_sigma, and its neighbour
  const auto above = std::upper_bound(log_sigmas_.begin(), log_sigmas_.end(), log_sigma);
  const auto low = static_cast<double>(
      std::clamp<std::ptrdiff_t>(above - log_sigmas_.begin() - 1, 0, static_cast<std::ptrdiff_t>(count()) - 2));
  const double from = log_sigmas_[static_cast<size_t>(low)];
  const double to = log_sigmas_[static_cast<size_t>(low) + 1];
  const double weight = std::clamp(rounded(rounded(from - log_sigma) / as_float(from - to)), 0.0, 1.0);
  const double below = rounded(1 - weight) * low;
  if (arithmetic != Arithmetic::kFloat) return below + weight * (low + 1);
  return as_float(as_float(below) + as_float(weight * (low + 1)));
}

}  // namespace fjord::schedulers
