// DEIS, "Fast Sampling of Diffusion Models with Exponential Integrator", Zhang, Chen 2022, arXiv:2204.13902: eps is
// extrapolated by the polynomial through its latest values in log rho, and integrated over rho exactly (section 3.3).
//   rho          sigma / alpha of a level: t is where this step ends, s0, s1, s2 where m0, m1, m2 were taken
//   m0, m1, m2   eps now, one and two steps ago
//   x_t          alpha_t (x_s0 / alpha_s0 + sum of the polynomials' integrals from rho_s0 to rho_t, times m)      eq.
//   15
#include "schedulers/deis.h"

#include "core/check.h"
#include "schedulers/choice.h"
#include "schedulers/clean_limit.h"
#include "schedulers/prediction.h"
#include "schedulers/solver_levels.h"
#include "schedulers/solver_scheduler.h"
#include "schedulers/step_order.h"

#include <algorithm>
#include <cmath>
#include <deque>

namespace fjord::schedulers {
namespace {

struct Deis {
  explicit Deis(const config::Scheduler& config)
      : schedule(config, {.spacing = true, .repeats_last = true}),
        type(prediction_type(config)),
        limit(config, CleanLimit::Clipping::kUnknown),
        order(config.solver_order.value_or(2)),
        lower_order_final(config.lower_order_final.value_or(true)) {
    // As in diffusers, the words of related schedulers are taken for the only ones that there are here.
    choose<bool>("algorithm_type", config.algorithm_type, "deis",
                 {{"deis", true}, {"dpmsolver", true}, {"dpmsolver++", true}});
    choose<bool>("solver_type", config.solver_type, "logrho",
                 {{"logrho", true}, {"midpoint", true}, {"heun", true}, {"bh1", true}, {"bh2", true}});
    check(order >= 1 && order <= 3, ErrorCode::kUnsupported, "solver_order ", order,
          " is not supported; expected 1, 2 or 3");
  }

  std::int64_t num_train_timesteps() const { return schedule.num_train_timesteps(); }

  SolverSchedule schedule;
  PredictionType type;
  CleanLimit limit;
  std::int64_t order;
  bool lower_order_final;
};

// The antiderivative of (log r - log c) / (log b - log c) at r = t.
double integral(double t, double b, double c) {
  return t * (std::log(t) - std::log(c) - 1) / (std::log(b) - std::log(c));
}

// That of (log r - log c) (log r - log d) / ((log b - log c) (log b - log d)).
double integral(double t, double b, double c, double d) {
  const double u = std::log(t);
  const double lc = std::log(c);
  const double ld = std::log(d);
  return t * (u * u - 2 * u + 2 - (lc + ld) * (u - 1) + lc * ld) / ((std::log(b) - lc) * (std::log(b) - ld));
}

class DeisRun : public SchedulerRun {
 public:
  DeisRun(std::shared_ptr<const Deis> solver, const SchedulePlan& plan)
      : solver_(std::move(solver)),
        levels_(solver_->schedule.levels(plan, /*distinct=*/solver_->order > 1)),
        order_(static_cast<std::int64_t>(levels_.timesteps.size())) {}

  const std::vector<double>& timesteps() const override { return levels_.timesteps; }

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample, const DrawNoise&) override {
    order_.advance(i);
    const at::Tensor clean = predict_clean(prediction, i, sample);
    history_.push_front(to_noise(PredictionType::kSample, clean, sample, level_of_ratio(ratio(i))));
    if (history_.size() > static_cast<size_t>(solver_->order)) history_.pop_back();
    const auto weights = weights_at(i);
    const NoiseLevel from = level_of_ratio(ratio(i));
    const NoiseLevel to = level_of_ratio(ratio(i + 1));
    at::Tensor next = sample * (to.alpha / from.alpha);
    for (size_t k = 0; k < weights.size(); ++k) next = next + history_[k] * (to.alpha * weights[k]);
    return next;
  }

  at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const override {
    order_.check_index(i);
    const at::Tensor mean = split_prediction(prediction, sample, false).mean;
    return solver_->limit.apply(to_clean(solver_->type, mean, sample, level_of_ratio(ratio(i))));
  }

  at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t i) const override {
    order_.check_index(i);
    return mix_noise(clean, noise, level_of_ratio(ratio(i)));
  }

 private:
  double ratio(std::int64_t i) const { return levels_.ratios[static_cast<size_t>(i)]; }

  std::int64_t order_at(std::int64_t i) const {
    const auto count = static_cast<std::int64_t>(levels_.timesteps.size());
    const auto history = static_cast<std::int64_t>(history_.size());
    if (ratio(i + 1) <= 0) return 1;  // log rho has no end there
    if (!solver_->lower_order_final || levels_.timesteps.size() >= kFewSteps) return history;
    return std::min(history, count - i);
  }

  // What m0, m1, m2 weigh in step i.
  std::vector<double> weights_at(std::int64_t i) const {
    const double t = ratio(i + 1);
    const double s0 = ratio(i);
    const std::int64_t order = order_at(i);
    if (order == 1) return {t - s0};
    const double s1 = ratio(i - 1);
    if (order == 2) {
      return {integral(t, s0, s1) - integral(s0, s0, s1), integral(t, s1, s0) - integral(s0, s1, s0)};
    }
    const double s2 = ratio(i - 2);
    return {integral(t, s0, s1, s2) - integral(s0, s0, s1, s2), integral(t, s1, s2, s0) - integral(s0, s1, s2, s0),
            integral(t, s2, s0, s1) - integral(s0, s2, s0, s1)};
  }

  std::shared_ptr<const Deis> solver_;
  SolverLevels levels_;
  StepOrder order_;
  std::deque<at::Tensor> history_;  // newest first, at most as many as the solver's order
};

}  // namespace

std::unique_ptr<const Scheduler> make_deis(const config::Scheduler& config) {
  return std::make_unique<const SolverScheduler<Deis, DeisRun>>(config);
}

}  // namespace fjord::schedulers
