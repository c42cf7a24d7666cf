// Latent consistency models, Luo et al. 2023, arXiv:2310.04378, Algorithm 3.
//   c_skip, c_out   how much of the sample and of its predicted x_0 make the clean sample, so that it is the sample
//   itself
//                   at timestep 0: sigma^2 / (s^2 + sigma^2), s / sqrt(s^2 + sigma^2), s = timestep_scaling t,
//                   sigma = 0.5                                                         arXiv:2303.01469, appendix C
//   prev            the next timestep of the run, to whose noise the clean sample is brought with fresh noise
#include "schedulers/lcm.h"

#include "schedulers/clean_limit.h"
#include "schedulers/consistency_schedule.h"
#include "schedulers/noise_schedule.h"
#include "schedulers/prediction.h"
#include "schedulers/solver_scheduler.h"
#include "schedulers/step_order.h"

#include <cmath>

namespace fjord::schedulers {
namespace {

struct Lcm {
  explicit Lcm(const config::Scheduler& config)
      : alpha_bar(to_doubles(alphas_cumprod(config, config.rescale_betas_zero_snr.value_or(false)))),
        type(prediction_type(config)),
        limit(config, CleanLimit::Clipping::kOnRequest),
        original_steps(original_inference_steps(config, num_train_timesteps())),
        timestep_scaling(config.timestep_scaling.value_or(10)) {}

  std::int64_t num_train_timesteps() const { return static_cast<std::int64_t>(alpha_bar.size()); }

  std::vector<double> alpha_bar;
  PredictionType type;
  CleanLimit limit;
  std::int64_t original_steps;
  double timestep_scaling;
};

class LcmRun : public SchedulerRun {
 public:
  LcmRun(std::shared_ptr<const Lcm> solver, const SchedulePlan& plan)
      : solver_(std::move(solver)),
        timesteps_(consistency_timesteps(solver_->original_steps, plan, solver_->num_train_timesteps())),
        order_(static_cast<std::int64_t>(timesteps_.size())) {
    check_signal(alpha_bar(0), solver_->type, solver_->limit.active());
  }

  const std::vector<double>& timesteps() const override { return timesteps_; }

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample,
                  const DrawNoise& draw_noise) override {
    order_.advance(i);
    constexpr double kSigma = 0.5;
    const double scaled = timesteps_[static_cast<size_t>(i)] * solver_->timestep_scaling;
    const double variance = scaled * scaled + kSigma * kSigma;
    const at::Tensor clean =
        predict_clean(prediction, i, sample) * (scaled / std::sqrt(variance)) + sample * (kSigma * kSigma / variance);
    if (i + 1 == static_cast<std::int64_t>(timesteps_.size())) return clean;
    return mix_noise(clean, draw_noise(sample.sizes()), level_of_alpha_bar(alpha_bar(i + 1)));
  }

  at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const override {
    order_.check_index(i);
    const at::Tensor mean = split_prediction(prediction, sample, false).mean;
    return solver_->limit.apply(to_clean(solver_->type, mean, sample, level_of_alpha_bar(alpha_bar(i))));
  }

  at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t i) const override {
    order_.check_index(i);
    return mix_noise(clean, noise, level_of_alpha_bar(alpha_bar(i)));
  }

 private:
  double alpha_bar(std::int64_t i) const {
    return solver_->alpha_bar[static_cast<size_t>(timesteps_[static_cast<size_t>(i)])];
  }

  std::shared_ptr<const Lcm> solver_;
  std::vector<double> timesteps_;
  StepOrder order_;
};

}  // namespace

std::unique_ptr<const Scheduler> make_lcm(const config::Scheduler& config) {
  return std::make_unique<const SolverScheduler<Lcm, LcmRun>>(config);
}

}  // namespace fjord::schedulers
