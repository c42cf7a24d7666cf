// Heun's method, "Elucidating the Design Space of Diffusion-Based Generative Models", Karras et al. 2022,
// arXiv:2206.00364, Algorithm 1.
//   d           dx/dsigma = (x - x_0) / sigma
//   a step      goes along d to the next level, finds d there, and goes again along the average of both; the last step,
//               which ends at sigma = 0, has no second evaluation
#include "schedulers/heun.h"

#include "schedulers/clean_limit.h"
#include "schedulers/sigma_run.h"
#include "schedulers/sigma_schedule.h"
#include "schedulers/solver_scheduler.h"

namespace fjord::schedulers {
namespace {

struct Heun {
  explicit Heun(const config::Scheduler& config)
      : schedule(config, {}), limit(config, CleanLimit::Clipping::kOnRequest, /*thresholds=*/false) {}

  std::int64_t num_train_timesteps() const { return schedule.num_train_timesteps(); }

  SigmaSchedule schedule;
  CleanLimit limit;
};

class HeunRun : public SigmaRun {
 public:
  HeunRun(std::shared_ptr<const Heun> solver, const SchedulePlan& plan)
      : HeunRun(solver, solver->schedule.steps(plan)) {}

  at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const override {
    return solver_->limit.apply(SigmaRun::predict_clean(prediction, i, sample));
  }

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample, const DrawNoise&) override {
    const at::Tensor output = advance(prediction, i, sample);
    const at::Tensor derivative = (sample - predict_clean(output, i, sample)) / sigma(i);
    const auto step = static_cast<size_t>(i + 1) / 2;  // the level that this evaluation was at
    if (begins_step(i)) {
      begin_ = sample;
      derivative_ = derivative;
      length_ = sigmas_[step + 1] - sigmas_[step];
      return sample + derivative * length_;
    }
    return begin_ + (derivative_ + derivative) / 2 * length_;
  }

 private:
  HeunRun(std::shared_ptr<const Heun> solver, const SigmaSteps& steps)
      : SigmaRun(solver->schedule.type(), looking_ahead(solver->schedule, steps)),
        solver_(std::move(solver)),
        sigmas_(steps.sigmas) {}

  // The second evaluation of a step is at the level of the next.
  static SigmaEvaluations looking_ahead(const SigmaSchedule& schedule, const SigmaSteps& steps) {
    const SigmaSteps next{
        {steps.timesteps.begin() + 1, steps.timesteps.end()}, {steps.sigmas.begin() + 1, steps.sigmas.end()}, {}};
    return evaluations_with(schedule, steps, next);
  }

  std::shared_ptr<const Heun> solver_;
  std::vector<double> sigmas_;
  at::Tensor begin_;       // the sample at which the present step began
  at::Tensor derivative_;  // there
  double length_ = 0;
};

}  // namespace

std::unique_ptr<const Scheduler> make_heun(const config::Scheduler& config) {
  return std::make_unique<const SolverScheduler<Heun, HeunRun>>(config);
}

}  // namespace fjord::schedulers
