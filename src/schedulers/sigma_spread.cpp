#include "schedulers/sigma_spread.h"

#include "core/check.h"
#include "schedulers/beta_quantile.h"
#include "schedulers/timestep_spacing.h"
#include "schedulers/training_levels.h"

#include <cmath>

namespace fjord::schedulers {
namespace {

void check_table(const std::vector<double>& table) {
  check(table.size() >= 2 && table.back() > 0, ErrorCode::kInvalidArgument,
        "sigma_table must be at least two numbers above 0, got ", table.size());
  for (size_t i = 1; i < table.size(); ++i) {
    check(table[i] < table[i - 1], ErrorCode::kInvalidArgument, "sigma_table must fall, got ", table[i], " after ",
          table[i - 1]);
  }
}

std::vector<double> karras(SigmaRange range, std::int64_t steps) {
  constexpr double kRho = 7;
  const double from = std::pow(range.high, 1 / kRho);
  const double to = std::pow(range.low, 1 / kRho);
  std::vector<double> sigmas;
  for (const double ramp : linspace(0, 1, steps)) sigmas.push_back(std::pow(from + ramp * (to - from), kRho));
  return sigmas;
}

std::vector<double> exponential(SigmaRange range, std::int64_t steps) {
  auto sigmas = linspace(std::log(range.high), std::log(range.low), steps);
  for (double& sigma : sigmas) sigma = std::exp(sigma);
  return sigmas;
}

std::vector<double> beta(SigmaRange range, std::int64_t steps) {
  constexpr double kShape = 0.6;
  std::vector<double> sigmas;
  for (const double ramp : linspace(0, 1, steps)) {
    sigmas.push_back(range.low + beta_quantile(1 - ramp, kShape, kShape) * (range.high - range.low));
  }
  return sigmas;
}

std::vector<double> lu(SigmaRange range, std::int64_t steps) {
  const double from = as_float(std::log(range.high));
  const double to = as_float(std::log(range.low));
  std::vector<double> sigmas;
  for (const double ramp : linspace(0, 1, steps)) sigmas.push_back(std::exp(from + ramp * (to - from)));
  return sigmas;
}

}  // namespace

SigmaSpread sigma_spread(const config::Scheduler& config, bool knows_lu) {
  const bool karras = config.use_karras_sigmas.value_or(false);
  const bool exponential = config.use_exponential_sigmas.value_or(false);
  const bool beta = config.use_beta_sigmas.value_or(false);
  const bool table = config.sigma_table.has_value();
  check(int{karras} + int{exponential} + int{beta} + int{table} <= 1, ErrorCode::kInvalidArgument,
        "only one of use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas and sigma_table can be asked for");
  if (table) check_table(*config.sigma_table);
  if (table) return SigmaSpread::kTable;
  if (karras) return SigmaSpread::kKarras;
  if (knows_lu && config.use_lu_lambdas.value_or(false)) return SigmaSpread::kLu;
  if (exponential) return SigmaSpread::kExponential;
  return beta ? SigmaSpread::kBeta : SigmaSpread::kTimesteps;
}

SigmaRange sigma_range(const config::Scheduler& config, bool known, SigmaRange whole) {
  if (!known) return whole;
  const SigmaRange range{config.sigma_max.value_or(whole.high), config.sigma_min.value_or(whole.low)};
  check(range.low < range.high, ErrorCode::kInvalidArgument, "expected sigma_min below sigma_max, got ", range.low,
        " and ", range.high);
  return range;
}

std::vector<double> spread_sigmas(SigmaSpread spread, SigmaRange range, std::int64_t steps) {
  switch (spread) {
    case SigmaSpread::kKarras: return karras(range, steps);
    case SigmaSpread::kBeta: return beta(range, steps);
    case SigmaSpread::kLu: return lu(range, steps);
    case SigmaSpread::kExponential:
    case SigmaSpread::kTimesteps:
    case SigmaSpread::kTable: break;
  }
  return exponential(range, steps);
}

std::vector<double> interpolated_sigmas(const std::vector<double>& table, std::int64_t steps) {
  const auto last = static_cast<double>(table.size() - 1);
  std::vector<double> sigmas;
  for (std::int64_t i = 0; i < steps; ++i) {
    const double place = static_cast<double>(i) * last / static_cast<double>(steps);
    const auto index = static_cast<size_t>(place);
    const double weight = place - std::floor(place);
    const double from = std::log(table[index]);
    sigmas.push_back(weight == 0 ? table[index] : std::exp(from + weight * (std::log(table[index + 1]) - from)));
  }
  return sigmas;
}

}  // namespace fjord::schedulers
