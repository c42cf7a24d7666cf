// Trajectory consistency distillation, Zheng et al. 2024, arXiv:2402.19159, Algorithm 4.
//   t, prev     this timestep and the next one of the run, 0 after the last
//   s           (1 - gamma) prev, to which the network jumps along the trajectory
//   gamma       the share of the way from s to prev that fresh noise takes: `eta`, 0 (none) to 1
#include "schedulers/tcd.h"

#include "core/check.h"
#include "schedulers/consistency_schedule.h"
#include "schedulers/noise_schedule.h"
#include "schedulers/prediction.h"
#include "schedulers/solver_scheduler.h"
#include "schedulers/step_order.h"

#include <cmath>

namespace fjord::schedulers {
namespace {

struct Tcd {
  explicit Tcd(const config::Scheduler& config)
      : alpha_bar(to_doubles(alphas_cumprod(config, config.rescale_betas_zero_snr.value_or(false)))),
        type(prediction_type(config)),
        original_steps(original_inference_steps(config, num_train_timesteps())),
        gamma(config.eta.value_or(0)) {
    check(gamma >= 0 && gamma <= 1, ErrorCode::kInvalidArgument, "eta must be from 0 to 1, got ", gamma);
  }

  std::int64_t num_train_timesteps() const { return static_cast<std::int64_t>(alpha_bar.size()); }

  std::vector<double> alpha_bar;
  PredictionType type;
  std::int64_t original_steps;
  double gamma;
};

class TcdRun : public SchedulerRun {
 public:
  TcdRun(std::shared_ptr<const Tcd> solver, const SchedulePlan& plan)
      : solver_(std::move(solver)),
        timesteps_(consistency_timesteps(solver_->original_steps, plan, solver_->num_train_timesteps())),
        order_(static_cast<std::int64_t>(timesteps_.size())) {
    check_signal(alpha_bar(timesteps_[0]), solver_->type, /*limited=*/false);
  }

  const std::vector<double>& timesteps() const override { return timesteps_; }

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample,
                  const DrawNoise& draw_noise) override {
    order_.advance(i);
    const bool last = i + 1 == static_cast<std::int64_t>(timesteps_.size());
    const double prev = last ? 0 : timesteps_[static_cast<size_t>(i) + 1];
    // The product is rounded to float32 as in the reference: the floor of it decides between neighbours.
    const float s = static_cast<float>(1 - solver_->gamma) * static_cast<float>(prev);
    const double alpha_bar_s = alpha_bar(std::floor(static_cast<double>(s)));
    const at::Tensor output = split_prediction(prediction, sample, false).mean;
    const at::Tensor noise = to_noise(solver_->type, output, sample, level(i));
    const at::Tensor jumped = mix_noise(predict_clean(output, i, sample), noise, level_of_alpha_bar(alpha_bar_s));
    if (solver_->gamma <= 0 || last) return jumped;
    const double kept = alpha_bar(prev) / alpha_bar_s;
    return mix_noise(jumped, draw_noise(sample.sizes()), level_of_alpha_bar(kept));
  }

  at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const override {
    order_.check_index(i);
    return to_clean(solver_->type, split_prediction(prediction, sample, false).mean, sample, level(i));
  }

  at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t i) const override {
    order_.check_index(i);
    return mix_noise(clean, noise, level(i));
  }

 private:
  double alpha_bar(double timestep) const { return solver_->alpha_bar[static_cast<size_t>(timestep)]; }
  NoiseLevel level(std::int64_t i) const { return level_of_alpha_bar(alpha_bar(timesteps_[static_cast<size_t>(i)])); }

  std::shared_ptr<const Tcd> solver_;
  std::vector<double> timesteps_;
  StepOrder order_;
};

}  // namespace

std::unique_ptr<const Scheduler> make_tcd(const config::Scheduler& config) {
  return std::make_unique<const SolverScheduler<Tcd, TcdRun>>(config);
}

}  // namespace fjord::schedulers
