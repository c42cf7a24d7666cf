// DPM-Solver-2, "DPM-Solver", Lu et al. 2022, arXiv:2206.00927, Algorithm 1 with r = 1/2, in the parametrisation of
// Karras et al. 2022, arXiv:2206.00364.
//   from, to    levels of this step
//   middle      halfway in log sigma, sqrt(from to): the second evaluation, whose derivative the whole step takes; the
//               last step, which ends at sigma = 0, has no second evaluation
#include "schedulers/kdpm2.h"

#include "schedulers/noise_schedule.h"
#include "schedulers/sigma_run.h"
#include "schedulers/sigma_schedule.h"
#include "schedulers/solver_scheduler.h"

#include <ATen/ops/exp.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/log.h>
#include <ATen/ops/roll.h>
#include <ATen/ops/tensor.h>

namespace fjord::schedulers {
namespace {

struct Kdpm2 {
  explicit Kdpm2(const config::Scheduler& config) : schedule(config, {.wide_spread = true, .rounds_karras = true}) {}

  std::int64_t num_train_timesteps() const { return schedule.num_train_timesteps(); }

  SigmaSchedule schedule;
};

// The level halfway between level k and k + 1, in float32 as the reference takes it.
std::vector<double> middles(const std::vector<double>& sigmas) {
  const at::Tensor levels = at::tensor(sigmas, at::kFloat);
  auto result = to_doubles(levels.log().lerp(levels.roll(1).log(), 0.5).exp());
  result.erase(result.begin());
  return result;
}

SigmaEvaluations halfway(const SigmaSchedule& schedule, const SigmaSteps& steps) {
  SigmaSteps seconds;
  seconds.sigmas = middles(steps.sigmas);
  for (const double sigma : seconds.sigmas) {
    seconds.timesteps.push_back(schedule.training().timestep_of(sigma, TrainingLevels::Arithmetic::kFloat));
  }
  return evaluations_with(schedule, steps, seconds);
}

class Kdpm2Run : public SigmaRun {
 public:
  Kdpm2Run(const std::shared_ptr<const Kdpm2>& solver, const SchedulePlan& plan)
      : Kdpm2Run(solver, solver->schedule.steps(plan)) {}

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample, const DrawNoise&) override {
    const at::Tensor output = advance(prediction, i, sample);
    const at::Tensor derivative = (sample - to_clean_exploding(type(), output, sample, sigma(i), sigma(i))) / sigma(i);
    const auto step = static_cast<size_t>(i) / 2;
    const double from = sigmas_[step];
    if (!begins_step(i)) return begin_ + derivative * (sigmas_[step + 1] - from);
    begin_ = sample;
    return sample + derivative * (middles_[step] - from);
  }

 private:
  Kdpm2Run(const std::shared_ptr<const Kdpm2>& solver, const SigmaSteps& steps)
      : SigmaRun(solver->schedule.type(), halfway(solver->schedule, steps)),
        sigmas_(steps.sigmas),
        middles_(middles(steps.sigmas)) {}

  std::vector<double> sigmas_;
  std::vector<double> middles_;
  at::Tensor begin_;  // the sample at which the present step began
};

}  // namespace

std::unique_ptr<const Scheduler> make_kdpm2(const config::Scheduler& config) {
  return std::make_unique<const SolverScheduler<Kdpm2, Kdpm2Run>>(config);
}

}  // namespace fjord::schedulers
