//   sigma_i   ratio of noise to signal at step i; samples are x = x_0 + sigma eps (arXiv:2206.00364)
//   t_i       timestep at which the training's levels reach sigma_i
//   h         length of a step in -log sigma;  r: length of the step before it in units of h
#include "schedulers/k_diffusion.h"

#include "core/check.h"
#include "schedulers/noise_schedule.h"
#include "schedulers/prediction.h"
#include "schedulers/step_order.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace fjord::schedulers {
namespace {

constexpr double kKarrasRho = 7;

// The training's levels: log sigma of every timestep, rising.
class LogLevels {
 public:
  explicit LogLevels(const config::Scheduler& config) {
    for (const double alpha_bar : to_doubles(alphas_cumprod(config, false))) {
      logs_.push_back(0.5 * std::log((1 - alpha_bar) / alpha_bar));
    }
  }

  std::int64_t count() const { return static_cast<std::int64_t>(logs_.size()); }
  double lowest() const { return std::exp(logs_.front()); }
  double highest() const { return std::exp(logs_.back()); }

  double sigma_at(double timestep) const {
    const auto below = static_cast<size_t>(timestep);
    const auto above = std::min(below + 1, logs_.size() - 1);
    const double part = timestep - static_cast<double>(below);
    return std::exp((1 - part) * logs_[below] + part * logs_[above]);
  }
  double nearest_timestep(double sigma) const {
    const auto distance = [log = std::log(sigma)](double other) { return std::abs(log - other); };
    const auto nearer = [&](double a, double b) { return distance(a) < distance(b); };
    return static_cast<double>(std::min_element(logs_.begin(), logs_.end(), nearer) - logs_.begin());
  }
  double fractional_timestep(double sigma) const {
    const double log = std::log(sigma);
    const auto above = std::upper_bound(logs_.begin() + 1, logs_.end() - 1, log);
    const double below = *(above - 1);
    const double part = std::clamp((log - below) / (*above - below), 0.0, 1.0);
    return static_cast<double>(above - 1 - logs_.begin()) + part;
  }

 private:
  std::vector<double> logs_;
};

// `steps` levels from the highest to the lowest, and 0.
std::vector<double> spread_levels(const LogLevels& training, std::int64_t steps, bool karras) {
  std::vector<double> sigmas;
  const double high = std::pow(training.highest(), 1 / kKarrasRho), low = std::pow(training.lowest(), 1 / kKarrasRho);
  for (std::int64_t i = 0; i < steps; ++i) {
    const double share = steps == 1 ? 0 : static_cast<double>(i) / static_cast<double>(steps - 1);
    sigmas.push_back(karras ? std::pow(high + share * (low - high), kKarrasRho)
                            : training.sigma_at((1 - share) * static_cast<double>(training.count() - 1)));
  }
  sigmas.push_back(0);
  return sigmas;
}

struct KDiffusion {
  LogLevels training;
  PredictionType type;
  KDiffusionOptions options;
};

class KDiffusionRun : public SchedulerRun {
 public:
  KDiffusionRun(std::shared_ptr<const KDiffusion> sampler, std::int64_t steps)
      : sampler_(std::move(sampler)),
        sigmas_(spread_levels(sampler_->training, steps, sampler_->options.karras)),
        order_(steps) {
    const bool whole = sampler_->options.grid == SigmaGrid::kComfyUi;
    for (std::int64_t i = 0; i < steps; ++i) {
      timesteps_.push_back(whole ? sampler_->training.nearest_timestep(sigma(i))
                                 : sampler_->training.fractional_timestep(sigma(i)));
    }
  }

  const std::vector<double>& timesteps() const override { return timesteps_; }
  double init_noise_sigma() const override {
    return sampler_->options.grid == SigmaGrid::kComfyUi ? std::hypot(1, sigma(0)) : sigma(0);
  }
  at::Tensor scale_model_input(const at::Tensor& sample, std::int64_t i) const override {
    return sample * level_of_ratio(sigma(i)).alpha;
  }

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample,
                  const DrawNoise& /*draw_noise*/) override {
    order_.advance(i);
    const auto wide = sample.scalar_type() == at::kDouble ? sample : sample.to(at::kFloat);
    const auto clean = predict_clean(prediction.to(wide.scalar_type()), i, wide);
    const auto mixed = sampler_->options.solver == KSolver::kEuler ? clean : extrapolated(clean, i);
    before_ = clean;
    // Euler and the exponential integrator differ in what they mix: both go from x towards x_0 by the ratio of levels.
    const double ratio = sigma(i + 1) / sigma(i);
    return (wide * ratio + mixed * (1 - ratio)).to(sample.scalar_type());
  }

  at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const override {
    order_.check_index(i);
    return to_clean(sampler_->type, prediction, scale_model_input(sample, i), level_of_ratio(sigma(i)));
  }

  at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t i) const override {
    order_.check_index(i);
    return clean + noise.to(clean.scalar_type()) * sigma(i);
  }

 private:
  double sigma(std::int64_t i) const { return sigmas_[static_cast<size_t>(i)]; }

  // The clean sample in the middle of step i, from this estimate and the one before.
  at::Tensor extrapolated(const at::Tensor& clean, std::int64_t i) const {
    if (!before_.defined() || sigma(i + 1) == 0) return clean;
    const double h = std::log(sigma(i) / sigma(i + 1));
    const double r = std::log(sigma(i - 1) / sigma(i)) / h;
    return clean + (clean - before_) / (2 * r);
  }

  std::shared_ptr<const KDiffusion> sampler_;
  std::vector<double> sigmas_;
  StepOrder order_;
  std::vector<double> timesteps_;
  at::Tensor before_;  // the clean sample estimated at the step before
};

class KDiffusionScheduler : public Scheduler {
 public:
  explicit KDiffusionScheduler(KDiffusion sampler) : sampler_(std::make_shared<const KDiffusion>(std::move(sampler))) {}

  std::unique_ptr<SchedulerRun> start(const SchedulePlan& plan) const override {
    check(plan.timesteps.empty() && plan.sigmas.empty(), ErrorCode::kInvalidArgument,
          "custom timesteps and sigmas do not go with the noise levels of another program");
    check(plan.steps >= 1 && plan.steps <= num_train_timesteps(), ErrorCode::kInvalidArgument,
          "steps must be from 1 to ", num_train_timesteps(), ", got ", plan.steps);
    return std::make_unique<KDiffusionRun>(sampler_, plan.steps);
  }
  std::int64_t num_train_timesteps() const override { return sampler_->training.count(); }
  std::string name() const override {
    return sampler_->options.solver == KSolver::kEuler ? "EulerDiscreteScheduler" : "DPMSolverMultistepScheduler";
  }

 private:
  std::shared_ptr<const KDiffusion> sampler_;
};

}  // namespace

std::shared_ptr<const Scheduler> make_k_diffusion(const config::Scheduler& config, const KDiffusionOptions& options) {
  check(!config.rescale_betas_zero_snr.value_or(false), ErrorCode::kUnsupported,
        "the noise levels of another program do not go with rescale_betas_zero_snr");
  return std::make_shared<const KDiffusionScheduler>(KDiffusion{LogLevels(config), prediction_type(config), options});
}

}  // namespace fjord::schedulers
