// DPM-Solver-2 of arXiv:2206.00927 with ancestral noise (arXiv:2006.11239, eq. 7), levels as in arXiv:2206.00364.
//   from, to    levels of this step;  up: of the fresh noise;  down: to which the step goes, down^2 + up^2 = to^2
//   middle      halfway in log sigma between `from` and `down`: the second evaluation, whose derivative the whole step
//               takes; the last step, which ends at sigma = 0, has no second evaluation
#include "schedulers/kdpm2_ancestral.h"

#include "schedulers/noise_schedule.h"
#include "schedulers/sigma_run.h"
#include "schedulers/sigma_schedule.h"
#include "schedulers/solver_scheduler.h"

#include <ATen/ops/exp.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/log.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/roll.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>

namespace fjord::schedulers {
namespace {

struct Kdpm2Ancestral {
  explicit Kdpm2Ancestral(const config::Scheduler& config)
      : schedule(config, {.wide_spread = true, .rounds_karras = true}) {}

  std::int64_t num_train_timesteps() const { return schedule.num_train_timesteps(); }

  SigmaSchedule schedule;
};

// The levels of every step, in float32 as the reference takes them.
struct AncestralLevels {
  explicit AncestralLevels(const std::vector<double>& sigmas) {
    const at::Tensor from = at::tensor(sigmas, at::kFloat);
    at::Tensor to = from.roll(-1);
    to[-1] = 0.0;
    const at::Tensor up_levels = (to.pow(2) * (from.pow(2) - to.pow(2)) / from.pow(2)).pow(0.5);
    // Far levels cancel to less than 0 in float32; the reference then goes on with NaN, we with the same in exact
    // words.
    at::Tensor down_levels = (to.pow(2) - up_levels.pow(2)).pow(0.5);
    down_levels = at::where(down_levels.isnan(), to.pow(2) / from, down_levels);
    down_levels[-1] = 0.0;
    at::Tensor middle_levels = from.log().lerp(down_levels.log(), 0.5).exp();
    middle_levels.slice(0, -2).fill_(0.0);
    up = to_doubles(up_levels);
    down = to_doubles(down_levels);
    middle = to_doubles(middle_levels);
  }

  std::vector<double> up;
  std::vector<double> down;
  std::vector<double> middle;
};

class Kdpm2AncestralRun : public SigmaRun {
 public:
  Kdpm2AncestralRun(const std::shared_ptr<const Kdpm2Ancestral>& solver, const SchedulePlan& plan)
      : Kdpm2AncestralRun(solver, solver->schedule.steps(plan)) {}

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample,
                  const DrawNoise& draw_noise) override {
    const at::Tensor output = advance(prediction, i, sample);
    const at::Tensor derivative = (sample - to_clean_exploding(type(), output, sample, sigma(i), sigma(i))) / sigma(i);
    const auto step = static_cast<size_t>(i) / 2;
    const double from = sigmas_[step];
    if (begins_step(i)) {
      begin_ = sample;
      return sample + derivative * (levels_.middle[step] - from);
    }
    const at::Tensor noise = draw_noise(sample.sizes()).to(sample.scalar_type());
    return begin_ + derivative * (levels_.down[step] - from) + noise * levels_.up[step];
  }

 private:
  Kdpm2AncestralRun(const std::shared_ptr<const Kdpm2Ancestral>& solver, const SigmaSteps& steps)
      : SigmaRun(solver->schedule.type(), halfway(solver->schedule, steps)),
        sigmas_(steps.sigmas),
        levels_(steps.sigmas) {}

  static SigmaEvaluations halfway(const SigmaSchedule& schedule, const SigmaSteps& steps) {
    SigmaSteps seconds;
    seconds.sigmas = AncestralLevels(steps.sigmas).middle;
    for (const double sigma : seconds.sigmas) {
      seconds.timesteps.push_back(schedule.training().timestep_of(sigma, TrainingLevels::Arithmetic::kFloat));
    }
    return evaluations_with(schedule, steps, seconds);
  }

  std::vector<double> sigmas_;
  AncestralLevels levels_;
  at::Tensor begin_;  // the sample at which the present step began
};

}  // namespace

std::unique_ptr<const Scheduler> make_kdpm2_ancestral(const config::Scheduler& config) {
  return std::make_unique<const SolverScheduler<Kdpm2Ancestral, Kdpm2AncestralRun>>(config);
}

}  // namespace fjord::schedulers
