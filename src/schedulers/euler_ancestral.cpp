// Ancestral sampling in the levels of "Elucidating the Design Space of Diffusion-Based Generative Models",
// arXiv:2206.00364: every step removes more noise than it should and adds the rest anew, as the posterior of
// "Denoising Diffusion Probabilistic Models", arXiv:2006.11239, eq. 7, has it.
//   from, to     levels of this step
//   up           of the fresh noise:  to^2 (from^2 - to^2) / from^2 = up^2
//   down         to which the step goes:  down^2 + up^2 = to^2, so down = to^2 / from, in which nothing cancels
#include "schedulers/euler_ancestral.h"

#include "schedulers/sigma_run.h"
#include "schedulers/sigma_schedule.h"
#include "schedulers/solver_scheduler.h"

#include <cmath>

namespace fjord::schedulers {
namespace {

struct EulerAncestral {
  explicit EulerAncestral(const config::Scheduler& config) : schedule(config, {.zero_snr = true, .spreads = false}) {}

  std::int64_t num_train_timesteps() const { return schedule.num_train_timesteps(); }

  SigmaSchedule schedule;
};

class EulerAncestralRun : public SigmaRun {
 public:
  EulerAncestralRun(const std::shared_ptr<const EulerAncestral>& solver, const SchedulePlan& plan)
      : EulerAncestralRun(solver, solver->schedule.steps(plan)) {}

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample,
                  const DrawNoise& draw_noise) override {
    const at::Tensor output = advance(prediction, i, sample);
    const double from = sigma(i);
    const double to = sigmas_[static_cast<size_t>(i) + 1];
    const double up = std::sqrt(to * to * (from * from - to * to) / (from * from));
    const double down = to * to / from;
    const at::Tensor x = widened(sample);
    const at::Tensor derivative = (x - to_clean_exploding(type(), output, x, from, from)) / from;
    const at::Tensor noise = draw_noise(sample.sizes()).to(x.scalar_type());
    return (x + derivative * (down - from) + noise * up).to(sample.scalar_type());
  }

 private:
  EulerAncestralRun(const std::shared_ptr<const EulerAncestral>& solver, const SigmaSteps& steps)
      : SigmaRun(solver->schedule.type(), evaluations(solver->schedule, steps)), sigmas_(steps.sigmas) {}

  std::vector<double> sigmas_;
};

}  // namespace

std::unique_ptr<const Scheduler> make_euler_ancestral(const config::Scheduler& config) {
  return std::make_unique<const SolverScheduler<EulerAncestral, EulerAncestralRun>>(config);
}

}  // namespace fjord::schedulers
