// PNDM, "Pseudo Numerical Methods for Diffusion Models on Manifolds", Liu, Ren, Lin, Zhao 2022, arXiv:2202.09778.
//   eps         the prediction, or a sum of predictions; a velocity is turned into eps after it was summed
//   phi         the transfer from timestep t to prev: eq. 9 (its alpha is our alpha_bar)
//   Runge-Kutta the first three steps take four evaluations each, eq. 13; with skip_prk_steps a first Euler step that
//   is
//               repeated with the average of both ends takes their place
//   multistep   (55 e_0 - 59 e_1 + 37 e_2 - 9 e_3) / 24, and lower orders while there are fewer than four    eq. 12
// As in the reference it is the number of the call that decides, not the place in the run: img2img starts anew where it
// begins.
#include "schedulers/pndm.h"

#include "core/check.h"
#include "schedulers/noise_schedule.h"
#include "schedulers/prediction.h"
#include "schedulers/solver_scheduler.h"
#include "schedulers/step_order.h"
#include "schedulers/timestep_spacing.h"

#include <algorithm>
#include <cmath>
#include <deque>

namespace fjord::schedulers {
namespace {

constexpr std::int64_t kRungeKuttaCalls = 12;

struct Pndm {
  explicit Pndm(const config::Scheduler& config)
      : alpha_bar(to_doubles(alphas_cumprod(config, false))),
        final_alpha_bar(config.set_alpha_to_one.value_or(false) ? 1.0 : alpha_bar[0]),
        type(prediction_type(config)),
        spacing(timestep_spacing(config, "leading")),
        offset(config.steps_offset.value_or(0)),
        runge_kutta(!config.skip_prk_steps.value_or(false)) {
    check(type != PredictionType::kSample, ErrorCode::kUnsupported,
          "prediction_type \"sample\" is not supported by PNDMScheduler; expected one of epsilon, v_prediction");
  }

  std::int64_t num_train_timesteps() const { return static_cast<std::int64_t>(alpha_bar.size()); }
  double alpha_bar_at(std::int64_t timestep) const {
    return timestep < 0 ? final_alpha_bar : alpha_bar.at(static_cast<size_t>(timestep));
  }

  // The timesteps of all evaluations.
  std::vector<double> timesteps(const SchedulePlan& plan) const {
    check(plan.timesteps.empty(), ErrorCode::kInvalidArgument,
          "custom timesteps are not taken by PNDMScheduler, whose steps are equally long");
    check_plan(plan, num_train_timesteps());
    const auto spaced = spaced_timesteps(spacing, num_train_timesteps(), plan.steps, offset);
    check_in_table(spaced, num_train_timesteps());
    return runge_kutta ? with_runge_kutta(spaced, plan.steps) : with_repeated_step(spaced);
  }

  std::vector<double> alpha_bar;
  double final_alpha_bar;
  PredictionType type;
  Spacing spacing;
  std::int64_t offset;
  bool runge_kutta;

 private:
  static std::vector<double> with_repeated_step(std::vector<double> spaced) {
    if (spaced.size() > 1) spaced.insert(spaced.begin() + 1, spaced[1]);
    return spaced;
  }

  // t_0, then three times the middle of a step twice and its end twice, without the last repeat; the rest as spaced.
  std::vector<double> with_runge_kutta(const std::vector<double>& spaced, std::int64_t steps) const {
    check(spaced.size() >= 4, ErrorCode::kInvalidArgument,
          "with skip_prk_steps false PNDMScheduler needs at least 4 steps, got ", steps);
    const auto half = static_cast<double>(num_train_timesteps() / steps / 2);
    std::vector<double> result{spaced[0]};
    for (size_t i = 1; i < 4; ++i) {
      result.insert(result.end(), 2, spaced[i] + half);
      result.insert(result.end(), i < 3 ? 2 : 1, spaced[i]);
    }
    result.insert(result.end(), spaced.begin() + 3, spaced.end());
    return result;
  }
};

class PndmRun : public SchedulerRun {
 public:
  PndmRun(std::shared_ptr<const Pndm> solver, const SchedulePlan& plan)
      : solver_(std::move(solver)),
        timesteps_(solver_->timesteps(plan)),
        stride_(solver_->num_train_timesteps() / plan.steps),
        order_(static_cast<std::int64_t>(timesteps_.size())) {}

  const std::vector<double>& timesteps() const override { return timesteps_; }

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample, const DrawNoise&) override {
    order_.advance(i);
    check(i == calls_ || !solver_->runge_kutta, ErrorCode::kInvalidArgument,
          "PNDMScheduler can begin in the middle of its schedule only with skip_prk_steps true");
    const at::Tensor output = split_prediction(prediction, sample, false).mean;
    const bool runge_kutta = solver_->runge_kutta && calls_ < kRungeKuttaCalls;
    const at::Tensor next = runge_kutta ? runge_kutta_step(output, i, sample) : multistep(output, i, sample);
    ++calls_;
    return next;
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
  std::int64_t timestep(std::int64_t i) const { return static_cast<std::int64_t>(timesteps_[static_cast<size_t>(i)]); }
  NoiseLevel level(std::int64_t i) const { return level_of_alpha_bar(solver_->alpha_bar_at(timestep(i))); }

  at::Tensor runge_kutta_step(const at::Tensor& output, std::int64_t i, const at::Tensor& sample) {
    const std::int64_t stage = calls_ % 4;
    const std::int64_t begin = timestep(i - stage);
    const std::int64_t prev = timestep(i) - (stage % 2 == 0 ? stride_ / 2 : 0);
    if (stage == 0) {
      remember(output);
      begin_ = sample;
      sum_ = output * (1.0 / 6);
      return transfer(begin_, begin, prev, output);
    }
    sum_ = sum_ + output * (stage == 3 ? 1.0 / 6 : 1.0 / 3);
    return transfer(begin_, begin, prev, stage == 3 ? sum_ : output);
  }

  at::Tensor multistep(const at::Tensor& output, std::int64_t i, const at::Tensor& sample) {
    const std::int64_t t = timestep(i);
    if (calls_ == 1) {  // the repeated step: from where the first began, with the average of both ends
      return transfer(begin_, t + stride_, t, (output + history_[0]) / 2);
    }
    remember(output);
    if (calls_ == 0) begin_ = sample;
    return transfer(sample, t, t - stride_, extrapolated());
  }

  void remember(const at::Tensor& output) {
    history_.push_front(output);
    if (history_.size() > 4) history_.pop_back();
  }

  at::Tensor extrapolated() const {
    const auto& e = history_;
    switch (e.size()) {
      case 1: return e[0];
      case 2: return (e[0] * 3 - e[1]) / 2;
      case 3: return (e[0] * 23 - e[1] * 16 + e[2] * 5) / 12;
      default: return (e[0] * 55 - e[1] * 59 + e[2] * 37 - e[3] * 9) * (1.0 / 24);
    }
  }

  // phi, eq. 9
  at::Tensor transfer(const at::Tensor& x, std::int64_t t, std::int64_t prev, const at::Tensor& output) const {
    const double from = solver_->alpha_bar_at(t);
    const double to = solver_->alpha_bar_at(prev);
    const at::Tensor eps = to_noise(solver_->type, output, x, level_of_alpha_bar(from));
    const double denominator = from * std::sqrt(1 - to) + std::sqrt(from * (1 - from) * to);
    return x * std::sqrt(to / from) - eps * ((to - from) / denominator);
  }

  std::shared_ptr<const Pndm> solver_;
  std::vector<double> timesteps_;
  std::int64_t stride_;
  StepOrder order_;
  std::int64_t calls_ = 0;
  std::deque<at::Tensor> history_;  // newest first, at most four
  at::Tensor begin_;                // the sample at which the present group of evaluations began
  at::Tensor sum_;                  // of its predictions, weighted
};

}  // namespace

std::unique_ptr<const Scheduler> make_pndm(const config::Scheduler& config) {
  return std::make_unique<const SolverScheduler<Pndm, PndmRun>>(config);
}

}  // namespace fjord::schedulers
