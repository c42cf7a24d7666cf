// DPM-Solver singlestep, "DPM-Solver", Lu et al. 2022, arXiv:2206.00927, Algorithms 1 and 2 and section 3.4 (the order
// of the groups); data prediction: "DPM-Solver++", arXiv:2211.01095, Algorithm 1 (2S).
//   group           1, 2 or 3 evaluations that begin at the same sample x; evaluation k of a group has order k
//   m0, m1, m2      predictions at this evaluation, one and two before it;  x was at s, where the group began
//   h               lambda(end) - lambda(s);  r0, r1: how far m0 and m1 were taken from s, in units of h
//   D0, D1, D2      the group's first prediction and its finite differences
#include "schedulers/dpm_solver_singlestep.h"

#include "schedulers/dpm_solver_schedule.h"
#include "schedulers/step_order.h"

#include <algorithm>
#include <deque>

namespace fjord::schedulers {
namespace {

struct DpmSinglestep {
  explicit DpmSinglestep(const config::Scheduler& config)
      : schedule(config, {.cuts_noisiest = true, .final_sigmas = true}),
        lower_order_final(config.lower_order_final.value_or(false)) {
    const DpmAlgorithm& algorithm = schedule.algorithm();
    check(algorithm.data_prediction || !algorithm.stochastic, ErrorCode::kUnsupported,
          "algorithm_type \"sde-dpmsolver\" is not supported by DPMSolverSinglestepScheduler; expected dpmsolver++, "
          "sde-dpmsolver++ or dpmsolver");
  }

  // The order of every evaluation: 1, 2, ..., order again and again. What is left over at the end is one smaller
  // group; with lower_order_final there is always something left over, so that the end is approached by small steps.
  std::vector<std::int64_t> orders(std::int64_t steps, bool ends_clean) const {
    const std::int64_t order = schedule.order();
    const bool lower = lower_order_final || ends_clean || steps % order != 0;
    std::vector<std::int64_t> result;
    for (std::int64_t i = 0; i < steps; ++i) result.push_back(i % order + 1);
    const auto count = static_cast<std::ptrdiff_t>(steps);
    // A whole last group gives its last evaluation away: 1, 2, 3 becomes 1, 2, 1.
    if (lower && steps % order == 0 && order > 1) result[static_cast<size_t>(count - 1)] = 1;
    if (ends_clean) result.back() = 1;
    return result;
  }

  DpmSchedule schedule;
  bool lower_order_final;
};

class DpmSinglestepRun : public SchedulerRun {
 public:
  DpmSinglestepRun(std::shared_ptr<const DpmSinglestep> solver, SolverLevels levels)
      : solver_(std::move(solver)),
        levels_(std::move(levels)),
        orders_(solver_->orders(static_cast<std::int64_t>(levels_.timesteps.size()), levels_.ratios.back() <= 0)),
        step_order_(static_cast<std::int64_t>(levels_.timesteps.size())) {}

  const std::vector<double>& timesteps() const override { return levels_.timesteps; }

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample,
                  const DrawNoise& draw_noise) override {
    step_order_.advance(i);
    predictions_.push_front(solver_->schedule.convert(prediction, sample, ratio(i)));
    if (predictions_.size() > static_cast<size_t>(solver_->schedule.order())) predictions_.pop_back();
    // img2img may start within a group: the evaluations before it are missing.
    const auto history = static_cast<std::int64_t>(predictions_.size());
    const std::int64_t order = std::min(orders_[static_cast<size_t>(i)], history);
    if (order == 1) group_sample_ = sample;
    const std::int64_t begin = i - order + 1;
    const DpmAlgorithm& algorithm = solver_->schedule.algorithm();
    const DpmWeights weights = dpm_weights(algorithm, ratio(begin), ratio(i + 1));
    at::Tensor next = group_sample_ * weights.sample + predictions_[static_cast<size_t>(order - 1)] * weights.d0;
    if (order == 2) next = next + second_order_terms(i, weights);
    if (order == 3) next = next + third_order_terms(i, weights);
    if (!algorithm.stochastic) return next;
    return next + draw_noise(sample.sizes()).to(sample.scalar_type()) * weights.noise;
  }

  at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const override {
    step_order_.check_index(i);
    return solver_->schedule.predict_clean(prediction, sample, ratio(i));
  }

  at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t i) const override {
    step_order_.check_index(i);
    return mix_noise(clean, noise, level_of_ratio(ratio(i)));
  }

 private:
  double ratio(std::int64_t i) const { return levels_.ratios[static_cast<size_t>(i)]; }
  double lambda(std::int64_t i) const { return lambda_of_ratio(ratio(i)); }

  at::Tensor second_order_terms(std::int64_t i, const DpmWeights& weights) const {
    const double h = lambda(i + 1) - lambda(i - 1);
    const double r0 = (lambda(i) - lambda(i - 1)) / h;
    const at::Tensor d1 = (predictions_[0] - predictions_[1]) * (1 / r0);
    return d1 * weights.d1(solver_->schedule.algorithm());
  }

  at::Tensor third_order_terms(std::int64_t i, const DpmWeights& weights) const {
    const double h = lambda(i + 1) - lambda(i - 2);
    const double r0 = (lambda(i) - lambda(i - 2)) / h;
    const double r1 = (lambda(i - 1) - lambda(i - 2)) / h;
    const at::Tensor d1_0 = (predictions_[1] - predictions_[2]) * (1 / r1);
    const at::Tensor d1_1 = (predictions_[0] - predictions_[2]) * (1 / r0);
    if (!solver_->schedule.algorithm().heun) return d1_1 * weights.d1_heun;
    const at::Tensor d1 = (d1_0 * r0 - d1_1 * r1) / (r0 - r1);
    const at::Tensor d2 = (d1_1 - d1_0) * 2.0 / (r0 - r1);
    return d1 * weights.d1_heun + d2 * weights.d2;
  }

  std::shared_ptr<const DpmSinglestep> solver_;
  SolverLevels levels_;
  std::vector<std::int64_t> orders_;
  StepOrder step_order_;
  std::deque<at::Tensor> predictions_;  // newest first, at most as many as the solver's order
  at::Tensor group_sample_;             // x, where the present group began
};

class DpmSinglestepScheduler : public Scheduler {
 public:
  explicit DpmSinglestepScheduler(const config::Scheduler& config)
      : solver_(std::make_shared<const DpmSinglestep>(config)) {}

  std::unique_ptr<SchedulerRun> start(const SchedulePlan& plan) const override {
    return std::make_unique<DpmSinglestepRun>(solver_, solver_->schedule.levels(plan));
  }
  std::int64_t num_train_timesteps() const override { return solver_->schedule.num_train_timesteps(); }
  std::string name() const override { return "DPMSolverSinglestepScheduler"; }

 private:
  std::shared_ptr<const DpmSinglestep> solver_;
};

}  // namespace

std::unique_ptr<const Scheduler> make_dpm_solver_singlestep(const config::Scheduler& config) {
  return std::make_unique<const DpmSinglestepScheduler>(config);
}

}  // namespace fjord::schedulers
