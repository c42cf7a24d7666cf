// Linear multistep: the derivative is taken for the polynomial through its latest values, up to four, and integrated
// exactly over the step (Adams-Bashforth with uneven steps). After Katherine Crowson's k-diffusion; levels and d as in
// arXiv:2206.00364.
#include "schedulers/lms.h"

#include "schedulers/sigma_run.h"
#include "schedulers/sigma_schedule.h"
#include "schedulers/solver_scheduler.h"

#include <algorithm>
#include <cmath>
#include <deque>

namespace fjord::schedulers {
namespace {

constexpr std::int64_t kOrder = 4;

struct Lms {
  explicit Lms(const config::Scheduler& config) : schedule(config, {}) {}

  std::int64_t num_train_timesteps() const { return schedule.num_train_timesteps(); }

  SigmaSchedule schedule;
};

class LmsRun : public SigmaRun {
 public:
  LmsRun(const std::shared_ptr<const Lms>& solver, const SchedulePlan& plan)
      : LmsRun(solver, solver->schedule.steps(plan)) {}

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample, const DrawNoise&) override {
    const at::Tensor output = advance(prediction, i, sample);
    derivatives_.push_front((sample - to_clean_exploding(type(), output, sample, sigma(i), sigma(i))) / sigma(i));
    if (derivatives_.size() > static_cast<size_t>(kOrder)) derivatives_.pop_back();
    // img2img starts without history, but the reference's order is that of the step's place in the run: it then uses
    // only the first of the weights, and so do we.
    const std::int64_t order = std::min(i + 1, kOrder);
    at::Tensor next = sample;
    for (std::int64_t k = 0; k < std::min(order, static_cast<std::int64_t>(derivatives_.size())); ++k) {
      next = next + derivatives_[static_cast<size_t>(k)] * weight(i, order, k);
    }
    return next;
  }

 private:
  LmsRun(const std::shared_ptr<const Lms>& solver, const SigmaSteps& steps)
      : SigmaRun(solver->schedule.type(), evaluations(solver->schedule, steps)), sigmas_(steps.sigmas) {}

  double level(std::int64_t i) const { return sigmas_[static_cast<size_t>(i)]; }

  // The integral over step i of the polynomial that is 1 at level i - k and 0 at the other levels i - j, j < order. Two
  // points of Gauss and Legendre are exact for its degree, at most 3.
  double weight(std::int64_t i, std::int64_t order, std::int64_t k) const {
    const double half = (level(i + 1) - level(i)) / 2;
    double sum = 0;
    for (const double place : {-1 / std::sqrt(3.0), 1 / std::sqrt(3.0)}) {
      const double tau = level(i) + half * (1 + place);
      double product = 1;
      for (std::int64_t j = 0; j < order; ++j) {
        if (j != k) product *= (tau - level(i - j)) / (level(i - k) - level(i - j));
      }
      sum += product;
    }
    return sum * half;
  }

  std::vector<double> sigmas_;
  std::deque<at::Tensor> derivatives_;  // newest first
};

}  // namespace

std::unique_ptr<const Scheduler> make_lms(const config::Scheduler& config) {
  return std::make_unique<const SolverScheduler<Lms, LmsRun>>(config);
}

}  // namespace fjord::schedulers
