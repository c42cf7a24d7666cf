// Euler's method, "Elucidating the Design Space of Diffusion-Based Generative Models", Karras et al. 2022,
// arXiv:2206.00364, Algorithm 2 without its second-order correction.
//   sigma       the level of the sample;  sigma_hat: that after noise was added, (1 + gamma) sigma
//   gamma       s_churn / levels, at most sqrt(2) - 1, where sigma lies from s_tmin to s_tmax
//   d           dx/dsigma = (x - x_0) / sigma_hat
#include "schedulers/euler.h"

#include "schedulers/sigma_run.h"
#include "schedulers/sigma_schedule.h"
#include "schedulers/solver_scheduler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace fjord::schedulers {
namespace {

struct Euler {
  explicit Euler(const config::Scheduler& config)
      : schedule(config, {.zero_snr = true, .euler = true}),
        churn(config.s_churn.value_or(0)),
        churn_low(config.s_tmin.value_or(0)),
        churn_high(config.s_tmax.value_or(std::numeric_limits<double>::infinity())),
        noise_scale(config.s_noise.value_or(1)) {}

  std::int64_t num_train_timesteps() const { return schedule.num_train_timesteps(); }

  SigmaSchedule schedule;
  double churn;
  double churn_low;
  double churn_high;
  double noise_scale;
};

class EulerRun : public SigmaRun {
 public:
  EulerRun(std::shared_ptr<const Euler> solver, const SchedulePlan& plan)
      : EulerRun(solver, solver->schedule.steps(plan)) {}

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample,
                  const DrawNoise& draw_noise) override {
    const at::Tensor output = advance(prediction, i, sample);
    const double gamma = gamma_at(sigma(i));
    const double sigma_hat = sigma(i) * (gamma + 1);
    at::Tensor x = widened(sample);
    if (gamma > 0) {
      const at::Tensor noise = draw_noise(sample.sizes()).to(x.scalar_type()) * solver_->noise_scale;
      x = x + noise * std::sqrt(sigma_hat * sigma_hat - sigma(i) * sigma(i));
    }
    const at::Tensor clean = to_clean_exploding(type(), output, x, sigma_hat, sigma(i));
    const at::Tensor derivative = (x - clean) / sigma_hat;
    const double next = sigmas_[static_cast<size_t>(i) + 1];
    return (x + derivative * (next - sigma_hat)).to(sample.scalar_type());
  }

 private:
  EulerRun(std::shared_ptr<const Euler> solver, const SigmaSteps& steps)
      : SigmaRun(solver->schedule.type(), evaluations(solver->schedule, steps)),
        solver_(std::move(solver)),
        sigmas_(steps.sigmas) {}

  double gamma_at(double sigma) const {
    if (sigma < solver_->churn_low || sigma > solver_->churn_high) return 0;
    return std::min(solver_->churn / static_cast<double>(sigmas_.size() - 1), std::numbers::sqrt2 - 1);
  }

  std::shared_ptr<const Euler> solver_;
  std::vector<double> sigmas_;
};

}  // namespace

std::unique_ptr<const Scheduler> make_euler(const config::Scheduler& config) {
  return std::make_unique<const SolverScheduler<Euler, EulerRun>>(config);
}

}  // namespace fjord::schedulers
