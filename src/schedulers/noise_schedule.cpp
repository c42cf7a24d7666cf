// Every line works in float32 and in the order of diffusers, because schedules near 0 or 1 magnify rounding.
#include "schedulers/noise_schedule.h"

#include "core/check.h"
#include "schedulers/choice.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/cumprod.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fjord::schedulers {
namespace {

enum class BetaSchedule { kLinear, kScaledLinear, kCosine, kLaplace, kSigmoid, kExponential };

// What a class takes where the configuration is silent.
struct BetaDefaults {
  double start = 0.0001;
  double end = 0.02;
  const char* schedule = "linear";
};

BetaDefaults beta_defaults(const std::string& class_name) {
  const auto is_one_of = [&](std::initializer_list<const char*> names) {
    return std::find(names.begin(), names.end(), class_name) != names.end();
  };
  if (is_one_of({"LCMScheduler", "TCDScheduler"})) return {0.00085, 0.012, "scaled_linear"};
  if (is_one_of({"HeunDiscreteScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler",
                 "DPMSolverSDEScheduler"})) {
    return {0.00085, 0.012, "linear"};
  }
  return {};
}

BetaSchedule beta_schedule(const config::Scheduler& config, const char* fallback) {
  if (config.class_name == "HeunDiscreteScheduler") {
    return choose<BetaSchedule>("beta_schedule", config.beta_schedule, fallback,
                                {{"linear", BetaSchedule::kLinear},
                                 {"scaled_linear", BetaSchedule::kScaledLinear},
                                 {"squaredcos_cap_v2", BetaSchedule::kCosine},
                                 {"exp", BetaSchedule::kExponential}});
  }
  if (config.class_name == "DDPMScheduler") {
    return choose<BetaSchedule>("beta_schedule", config.beta_schedule, fallback,
                                {{"linear", BetaSchedule::kLinear},
                                 {"scaled_linear", BetaSchedule::kScaledLinear},
                                 {"squaredcos_cap_v2", BetaSchedule::kCosine},
                                 {"laplace", BetaSchedule::kLaplace},
                                 {"sigmoid", BetaSchedule::kSigmoid}});
  }
  return choose<BetaSchedule>("beta_schedule", config.beta_schedule, fallback,
                              {{"linear", BetaSchedule::kLinear},
                               {"scaled_linear", BetaSchedule::kScaledLinear},
                               {"squaredcos_cap_v2", BetaSchedule::kCosine}});
}

// alpha_bar(t) for t in [0, 1]: a squared cosine with the paper's offset s = 0.008 (arXiv:2102.09672, eq. 17).
double cosine_alpha_bar(double t) {
  const double root = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2);
  return root * root;
}

// alpha_bar(t) whose log signal-to-noise ratio is Laplace distributed (arXiv:2407.03297).
double laplace_alpha_bar(double t) {
  const double log_snr = -0.5 * std::copysign(1.0, 0.5 - t) * std::log(1 - 2 * std::fabs(0.5 - t) + 1e-6);
  const double snr = std::exp(log_snr);
  return std::sqrt(snr / (1 + snr));
}

double exponential_alpha_bar(double t) { return std::exp(t * -12); }

at::Tensor betas_from_alpha_bar(double (*alpha_bar)(double), std::int64_t count) {
  constexpr double kMaxBeta = 0.999;
  std::vector<double> betas;
  const auto total = static_cast<double>(count);
  for (std::int64_t i = 0; i < count; ++i) {
    const double from = static_cast<double>(i) / total;
    const double to = static_cast<double>(i + 1) / total;
    betas.push_back(std::min(1 - alpha_bar(to) / alpha_bar(from), kMaxBeta));
  }
  return at::tensor(betas, at::kFloat);
}

at::Tensor given_betas(const config::Scheduler& config, std::int64_t count) {
  const auto given = static_cast<std::int64_t>(config.trained_betas->size());
  check(given == count, ErrorCode::kInvalidArgument, "expected as many trained_betas as num_train_timesteps (", count,
        "), got ", given);
  return at::tensor(*config.trained_betas, at::kFloat);
}

at::Tensor betas(const config::Scheduler& config) {
  const std::int64_t count = num_train_timesteps(config);
  if (config.trained_betas) return given_betas(config, count);
  const BetaDefaults defaults = beta_defaults(config.class_name);
  const double start = config.beta_start.value_or(defaults.start);
  const double end = config.beta_end.value_or(defaults.end);
  check(start <= end, ErrorCode::kInvalidArgument, "expected beta_start <= beta_end, got ", start, " and ", end);
  switch (beta_schedule(config, defaults.schedule)) {
    case BetaSchedule::kLinear: return at::linspace(start, end, count, at::kFloat);
    case BetaSchedule::kScaledLinear:
      return at::pow(at::linspace(std::sqrt(start), std::sqrt(end), count, at::kFloat), 2);
    case BetaSchedule::kCosine: return betas_from_alpha_bar(cosine_alpha_bar, count);
    case BetaSchedule::kLaplace: return betas_from_alpha_bar(laplace_alpha_bar, count);
    case BetaSchedule::kExponential: return betas_from_alpha_bar(exponential_alpha_bar, count);
    case BetaSchedule::kSigmoid: break;
  }
  return at::sigmoid(at::linspace(-6, 6, count, at::kFloat)) * (end - start) + start;
}

// Shifts and stretches sqrt(alpha_bar) so that its last value is 0 and its first stays (arXiv:2305.08891, Alg. 1).
at::Tensor rescaled_to_zero_snr(const at::Tensor& betas) {
  at::Tensor root = at::cumprod(1.0 - betas, 0).sqrt();
  const at::Tensor first = root[0].clone();
  const at::Tensor last = root[-1].clone();
  root = (root - last) * (first / (first - last));
  const at::Tensor alpha_bar = at::pow(root, 2);
  const at::Tensor alphas = at::cat({alpha_bar.slice(0, 0, 1), alpha_bar.slice(0, 1) / alpha_bar.slice(0, 0, -1)});
  return 1.0 - alphas;
}

}  // namespace

std::int64_t num_train_timesteps(const config::Scheduler& config) {
  const std::int64_t count = config.num_train_timesteps.value_or(1000);
  check(count >= 2, ErrorCode::kInvalidArgument, "num_train_timesteps must be at least 2, got ", count);
  return count;
}

at::Tensor alphas_cumprod(const config::Scheduler& config, bool rescale_zero_snr) {
  at::Tensor table = betas(config);
  for (const double beta : to_doubles(table)) {
    check(beta > 0 && beta <= 1, ErrorCode::kInvalidArgument, "betas must lie above 0 and not above 1, got ", beta);
  }
  if (rescale_zero_snr) table = rescaled_to_zero_snr(table);
  return at::cumprod(1.0 - table, 0);
}

std::vector<double> to_doubles(const at::Tensor& table) {
  const at::Tensor values = table.to(at::kDouble).contiguous();
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

}  // namespace fjord::schedulers
