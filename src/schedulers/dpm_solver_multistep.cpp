// DPM-Solver multistep, "DPM-Solver++", Lu et al. 2022, arXiv:2211.01095, Algorithm 2 (2M), and its third-order form
// (appendix B of that paper; noise prediction: arXiv:2206.00927).
//   x, m0, m1, m2   the sample, and what the network predicted now, one and two steps ago (x_0 or eps)
//   lambda          -log(ratio) of the level: 1 is where this step ends, s0, s1, s2 where m0, m1, m2 were taken
//   h               length of this step in lambda;  r0, r1: lengths of the two steps before it, in units of h
//   D0, D1, D2      m0 and its finite differences
#include "schedulers/dpm_solver_multistep.h"

#include "schedulers/dpm_solver_schedule.h"
#include "schedulers/step_order.h"

#include <algorithm>
#include <deque>

namespace fjord::schedulers {
namespace {

struct DpmMultistep {
  explicit DpmMultistep(const config::Scheduler& config)
      : schedule(config, {.zero_snr = true,
                          .spacing = true,
                          .lu = true,
                          .cuts_noisiest = true,
                          .fractional_karras = true,
                          .final_sigmas = true}),
        lower_order_final(config.lower_order_final.value_or(true)),
        euler_at_final(config.euler_at_final.value_or(false)) {
    const DpmAlgorithm& algorithm = schedule.algorithm();
    check(schedule.order() < 3 || algorithm.data_prediction || !algorithm.stochastic, ErrorCode::kUnsupported,
          "algorithm_type \"sde-dpmsolver\" has no solver of solver_order 3; expected 1 or 2");
  }

  DpmSchedule schedule;
  bool lower_order_final;
  bool euler_at_final;
};

class DpmMultistepRun : public SchedulerRun {
 public:
  DpmMultistepRun(std::shared_ptr<const DpmMultistep> solver, SolverLevels levels)
      : solver_(std::move(solver)),
        levels_(std::move(levels)),
        order_(static_cast<std::int64_t>(levels_.timesteps.size())) {}

  const std::vector<double>& timesteps() const override { return levels_.timesteps; }

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample,
                  const DrawNoise& draw_noise) override {
    order_.advance(i);
    predictions_.push_front(solver_->schedule.convert(prediction, sample, ratio(i)));
    if (predictions_.size() > static_cast<size_t>(solver_->schedule.order())) predictions_.pop_back();
    // Half precision is widened for the sum and for the noise.
    const at::Tensor wide = sample.scalar_type() == at::kDouble ? sample : sample.to(at::kFloat);
    const DpmWeights weights = dpm_weights(solver_->schedule.algorithm(), ratio(i), ratio(i + 1));
    at::Tensor next = wide * weights.sample + predictions_[0] * weights.d0;
    const std::int64_t order = order_at(i);
    if (order == 2) next = next + second_order_terms(i, weights);
    if (order == 3) next = next + third_order_terms(i, weights);
    if (solver_->schedule.algorithm().stochastic) {
      next = next + draw_noise(sample.sizes()).to(wide.scalar_type()) * weights.noise;
    }
    return next.to(sample.scalar_type());
  }

  at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const override {
    order_.check_index(i);
    return solver_->schedule.predict_clean(prediction, sample, ratio(i));
  }

  at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t i) const override {
    order_.check_index(i);
    return mix_noise(clean, noise, level_of_ratio(ratio(i)));
  }

 private:
  double ratio(std::int64_t i) const { return levels_.ratios[static_cast<size_t>(i)]; }
  double lambda(std::int64_t i) const { return lambda_of_ratio(ratio(i)); }

  // The order of step i: what the history allows, and less towards the end where that is wished for.
  std::int64_t order_at(std::int64_t i) const {
    const auto count = static_cast<std::int64_t>(levels_.timesteps.size());
    const bool lower_final = solver_->lower_order_final && levels_.timesteps.size() < kFewSteps;
    const bool last_is_first_order = solver_->euler_at_final || lower_final || levels_.ratios.back() <= 0;
    if (i == count - 1 && last_is_first_order) return 1;
    if (ratio(i) <= ratio(i + 1)) return 1;  // a step of length 0 has no derivatives
    const auto history = static_cast<std::int64_t>(predictions_.size());
    return i == count - 2 && lower_final ? std::min<std::int64_t>(history, 2) : history;
  }

  at::Tensor second_order_terms(std::int64_t i, const DpmWeights& weights) const {
    const double h = lambda(i + 1) - lambda(i);
    const double r0 = (lambda(i) - lambda(i - 1)) / h;
    const at::Tensor d1 = (predictions_[0] - predictions_[1]) * (1 / r0);
    return d1 * weights.d1(solver_->schedule.algorithm());
  }

  at::Tensor third_order_terms(std::int64_t i, const DpmWeights& weights) const {
    const double h = lambda(i + 1) - lambda(i);
    const double r0 = (lambda(i) - lambda(i - 1)) / h;
    const double r1 = (lambda(i - 1) - lambda(i - 2)) / h;
    const at::Tensor d1_0 = (predictions_[0] - predictions_[1]) * (1 / r0);
    const at::Tensor d1_1 = (predictions_[1] - predictions_[2]) * (1 / r1);
    const at::Tensor d1 = d1_0 + (d1_0 - d1_1) * (r0 / (r0 + r1));
    const at::Tensor d2 = (d1_0 - d1_1) * (1 / (r0 + r1));
    return d1 * weights.d1_heun + d2 * weights.d2;
  }

  std::shared_ptr<const DpmMultistep> solver_;
  SolverLevels levels_;
  StepOrder order_;
  std::deque<at::Tensor> predictions_;  // newest first, at most as many as the solver's order
};

class DpmMultistepScheduler : public Scheduler {
 public:
  explicit DpmMultistepScheduler(const config::Scheduler& config)
      : solver_(std::make_shared<const DpmMultistep>(config)) {}

  std::unique_ptr<SchedulerRun> start(const SchedulePlan& plan) const override {
    return std::make_unique<DpmMultistepRun>(solver_, solver_->schedule.levels(plan));
  }
  std::int64_t num_train_timesteps() const override { return solver_->schedule.num_train_timesteps(); }
  std::string name() const override { return "DPMSolverMultistepScheduler"; }

 private:
  std::shared_ptr<const DpmMultistep> solver_;
};

}  // namespace

std::unique_ptr<const Scheduler> make_dpm_solver_multistep(const config::Scheduler& config) {
  return std::make_unique<const DpmMultistepScheduler>(config);
}

}  // namespace fjord::schedulers
