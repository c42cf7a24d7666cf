// DDPM, "Denoising Diffusion Probabilistic Models", Ho, Jain, Abbeel 2020, arXiv:2006.11239.
//   alpha_bar_t     how much of the clean sample's variance is left at timestep t                        eq. 4
//   t, prev         this timestep and the next one of the run (alpha_bar_prev = 1 after the last)
//   beta_t          1 - alpha_bar_t / alpha_bar_prev: the noise of this stride, not of one training step
//   mu              mean of x_prev given x_t and the predicted x_0                                       eq. 7
//   beta_tilde      its variance: (1 - alpha_bar_prev) / (1 - alpha_bar_t) * beta_t                      eq. 7
// Learned variances: "Improved DDPM", Nichol, Dhariwal 2021, arXiv:2102.09672, eq. 15.
#include "schedulers/ddpm.h"

#include "core/check.h"
#include "schedulers/choice.h"
#include "schedulers/clean_limit.h"
#include "schedulers/noise_schedule.h"
#include "schedulers/prediction.h"
#include "schedulers/step_order.h"
#include "schedulers/timestep_spacing.h"

#include <algorithm>
#include <cmath>

namespace fjord::schedulers {
namespace {

enum class Variance { kSmall, kSmallLog, kLarge, kLargeLog, kLearned, kLearnedRange };

struct Ddpm {
  explicit Ddpm(const config::Scheduler& config)
      : alpha_bar(to_doubles(alphas_cumprod(config, config.rescale_betas_zero_snr.value_or(false)))),
        type(prediction_type(config)),
        spacing(timestep_spacing(config, "leading")),
        offset(config.steps_offset.value_or(0)),
        limit(config, CleanLimit::Clipping::kByDefault),
        variance(choose<Variance>("variance_type", config.variance_type, "fixed_small",
                                  {{"fixed_small", Variance::kSmall},
                                   {"fixed_small_log", Variance::kSmallLog},
                                   {"fixed_large", Variance::kLarge},
                                   {"fixed_large_log", Variance::kLargeLog},
                                   {"learned", Variance::kLearned},
                                   {"learned_range", Variance::kLearnedRange}})) {}

  bool learned() const { return variance == Variance::kLearned || variance == Variance::kLearnedRange; }

  std::vector<double> alpha_bar;
  PredictionType type;
  Spacing spacing;
  std::int64_t offset;
  CleanLimit limit;
  Variance variance;
};

class DdpmRun : public SchedulerRun {
 public:
  DdpmRun(std::shared_ptr<const Ddpm> schedule, std::vector<double> timesteps)
      : schedule_(std::move(schedule)),
        timesteps_(std::move(timesteps)),
        order_(static_cast<std::int64_t>(timesteps_.size())) {}

  const std::vector<double>& timesteps() const override { return timesteps_; }

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample,
                  const DrawNoise& draw_noise) override {
    order_.advance(i);
    const auto [mean, variance] = split_prediction(prediction, sample, schedule_->learned());
    const double alpha_bar = alpha_bar_at(i);
    const double alpha_bar_prev = alpha_bar_at(i + 1);
    const double alpha = alpha_bar / alpha_bar_prev;
    const at::Tensor clean = limited_clean(mean, i, sample);
    // mu, eq. 7
    const double clean_part = std::sqrt(alpha_bar_prev) * (1 - alpha) / (1 - alpha_bar);
    const double sample_part = std::sqrt(alpha) * (1 - alpha_bar_prev) / (1 - alpha_bar);
    const at::Tensor mu = clean * clean_part + sample * sample_part;
    if (timesteps_[static_cast<size_t>(i)] <= 0) return mu;
    const at::Tensor noise = draw_noise(sample.sizes()).to(sample.scalar_type());
    return mu + scaled_noise(noise, i, variance);
  }

  at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const override {
    order_.check_index(i);
    return limited_clean(split_prediction(prediction, sample, schedule_->learned()).mean, i, sample);
  }

  at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t i) const override {
    order_.check_index(i);
    return mix_noise(clean, noise, level_of_alpha_bar(alpha_bar_at(i)));
  }

 private:
  // alpha_bar at evaluation i; after the last one the sample is clean.
  double alpha_bar_at(std::int64_t i) const {
    const auto index = static_cast<size_t>(i);
    return index < timesteps_.size() ? schedule_->alpha_bar[static_cast<size_t>(timesteps_[index])] : 1.0;
  }

  at::Tensor limited_clean(const at::Tensor& mean, std::int64_t i, const at::Tensor& sample) const {
    return schedule_->limit.apply(to_clean(schedule_->type, mean, sample, level_of_alpha_bar(alpha_bar_at(i))));
  }

  // The noise of this stride with its standard deviation. `predicted`: the network's opinion of the variance.
  at::Tensor scaled_noise(const at::Tensor& noise, std::int64_t i, const at::Tensor& predicted) const {
    const double beta = 1 - alpha_bar_at(i) / alpha_bar_at(i + 1);
    const double beta_tilde = (1 - alpha_bar_at(i + 1)) / (1 - alpha_bar_at(i)) * beta;
    const double small = std::max(beta_tilde, 1e-20);  // its logarithm is needed
    switch (schedule_->variance) {
      case Variance::kSmall:
      case Variance::kSmallLog: return noise * std::sqrt(small);
      // diffusers takes the root of log(beta) for fixed_large_log, which is NaN; meant is the root of beta.
      case Variance::kLarge:
      case Variance::kLargeLog: return noise * std::sqrt(beta);
      case Variance::kLearned:
      case Variance::kLearnedRange: break;
    }
    check(predicted.defined(), ErrorCode::kInvalidArgument,
          "a learned variance_type needs a network that predicts twice the sample's channels, got ", noise.size(1));
    if (schedule_->variance == Variance::kLearned) return predicted.sqrt() * noise;
    const at::Tensor fraction = (predicted + 1) / 2;
    const at::Tensor log_variance = fraction * std::log(beta) + (1 - fraction) * std::log(small);  // arXiv:2102.09672
    return (log_variance * 0.5).exp() * noise;
  }

  std::shared_ptr<const Ddpm> schedule_;
  std::vector<double> timesteps_;
  StepOrder order_;
};

class DdpmScheduler : public Scheduler {
 public:
  explicit DdpmScheduler(const config::Scheduler& config) : schedule_(std::make_shared<const Ddpm>(config)) {}

  std::unique_ptr<SchedulerRun> start(const SchedulePlan& plan) const override {
    check_plan(plan, num_train_timesteps());
    auto timesteps = plan.timesteps;
    if (timesteps.empty()) {
      timesteps = spaced_timesteps(schedule_->spacing, num_train_timesteps(), plan.steps, schedule_->offset);
    }
    check_in_table(timesteps, num_train_timesteps());
    const double first = schedule_->alpha_bar[static_cast<size_t>(timesteps[0])];
    check_signal(first, schedule_->type, schedule_->limit.active());
    return std::make_unique<DdpmRun>(schedule_, std::move(timesteps));
  }
  std::int64_t num_train_timesteps() const override { return static_cast<std::int64_t>(schedule_->alpha_bar.size()); }
  std::string name() const override { return "DDPMScheduler"; }

 private:
  std::shared_ptr<const Ddpm> schedule_;
};

}  // namespace

std::unique_ptr<const Scheduler> make_ddpm(const config::Scheduler& config) {
  return std::make_unique<const DdpmScheduler>(config);
}

}  // namespace fjord::schedulers
