// UniPC, "UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion Models", Zhao, Bai, Rao, Zhou,
// Lu 2023, arXiv:2302.04867, Algorithms 1 and 2 (B(h) of its eq. 12: bh1 is h, bh2 is e^h - 1).
//   lambda      -log(ratio) of a level: t is where a step ends, s0, s1, ... where m0, m1, ... were taken
//   h           lambda_t - lambda_s0;  k: h, or -h where x_0 is integrated
//   m0, m1, ..  what the network predicted (x_0 or eps), newest first
//   r_j, D_j    (lambda_sj - lambda_s0) / h, (m_j - m_0) / r_j;  for the corrector also r = 1, D = m_t - m_0
//   rho         the weights that make the sum of rho_j D_j exact for polynomials: R rho = b                      eq. 10
#include "schedulers/unipc.h"

#include "core/check.h"
#include "schedulers/choice.h"
#include "schedulers/clean_limit.h"
#include "schedulers/dpm_solver_update.h"
#include "schedulers/prediction.h"
#include "schedulers/solver_levels.h"
#include "schedulers/solver_scheduler.h"
#include "schedulers/step_order.h"

#include <algorithm>
#include <cmath>
#include <deque>

namespace fjord::schedulers {
namespace {

struct UniPc {
  explicit UniPc(const config::Scheduler& config)
      : schedule(config,
                 {.zero_snr = true, .spacing = true, .final_sigmas = true, .repeats_last = true, .own_range = true}),
        type(prediction_type(config)),
        limit(config, CleanLimit::Clipping::kUnknown),
        order(config.solver_order.value_or(2)),
        data_prediction(config.predict_x0.value_or(true)),
        // As in diffusers, the words of related schedulers are taken for bh2.
        first_variant(
            choose<bool>("solver_type", config.solver_type, "bh2",
                         {{"bh2", false}, {"bh1", true}, {"midpoint", false}, {"heun", false}, {"logrho", false}})),
        lower_order_final(config.lower_order_final.value_or(true)),
        uncorrected(config.disable_corrector.value_or(std::vector<double>{})) {
    check(order >= 1 && order <= 3, ErrorCode::kUnsupported, "solver_order ", order,
          " is not supported; expected 1, 2 or 3");
  }

  std::int64_t num_train_timesteps() const { return schedule.num_train_timesteps(); }

  SolverSchedule schedule;
  PredictionType type;
  CleanLimit limit;
  std::int64_t order;
  bool data_prediction;
  bool first_variant;
  bool lower_order_final;
  std::vector<double> uncorrected;  // the steps that are not corrected
};

// x with R x = b, R[i][j] = nodes[j]^i, by elimination; at most three unknowns.
std::vector<double> solve_powers(const std::vector<double>& nodes, std::vector<double> b) {
  const size_t n = nodes.size();
  std::vector<std::vector<double>> rows(n, std::vector<double>(n, 1.0));
  for (size_t i = 1; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) rows[i][j] = rows[i - 1][j] * nodes[j];
  }
  for (size_t pivot = 0; pivot < n; ++pivot) {
    for (size_t i = 0; i < n; ++i) {
      if (i == pivot) continue;
      const double factor = rows[i][pivot] / rows[pivot][pivot];
      for (size_t j = pivot; j < n; ++j) rows[i][j] -= factor * rows[pivot][j];
      b[i] -= factor * b[pivot];
    }
  }
  for (size_t i = 0; i < n; ++i) b[i] /= rows[i][i];
  return b;
}

class UniPcRun : public SchedulerRun {
 public:
  UniPcRun(std::shared_ptr<const UniPc> solver, const SchedulePlan& plan)
      : solver_(std::move(solver)),
        levels_(solver_->schedule.levels(plan, /*distinct=*/true)),
        order_(static_cast<std::int64_t>(levels_.timesteps.size())) {
    const bool ends_clean = levels_.ratios.back() <= 0;
    check(!ends_clean || (solver_->data_prediction && (solver_->lower_order_final || solver_->order == 1)),
          ErrorCode::kInvalidArgument,
          "UniPC can end at a noise level of 0 only with predict_x0 and lower_order_final; set final_sigmas_type to "
          "sigma_min");
  }

  const std::vector<double>& timesteps() const override { return levels_.timesteps; }

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample, const DrawNoise&) override {
    order_.advance(i);
    const at::Tensor converted = convert(prediction, i, sample);
    const bool corrects = begin_.defined() && !is_uncorrected(i - 1);
    begin_ = corrects ? corrected(i, converted) : sample;
    history_.push_front(converted);
    if (history_.size() > static_cast<size_t>(solver_->order)) history_.pop_back();
    step_order_ = order_at(i);
    return predicted(i);
  }

  at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const override {
    order_.check_index(i);
    const at::Tensor mean = split_prediction(prediction, sample, false).mean;
    const at::Tensor clean = to_clean(solver_->type, mean, sample, level_of_ratio(ratio(i)));
    return solver_->data_prediction ? solver_->limit.apply(clean) : clean;
  }

  at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t i) const override {
    order_.check_index(i);
    return mix_noise(clean, noise, level_of_ratio(ratio(i)));
  }

 private:
  double ratio(std::int64_t i) const { return levels_.ratios[static_cast<size_t>(i)]; }
  double lambda(std::int64_t i) const { return lambda_of_ratio(ratio(i)); }

  at::Tensor convert(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const {
    if (solver_->data_prediction) return predict_clean(prediction, i, sample);
    const at::Tensor mean = split_prediction(prediction, sample, false).mean;
    return to_noise(solver_->type, mean, sample, level_of_ratio(ratio(i)));
  }

  bool is_uncorrected(std::int64_t i) const {
    const auto& list = solver_->uncorrected;
    return std::find(list.begin(), list.end(), static_cast<double>(i)) != list.end();
  }

  // The order of step i: what the history allows, and less towards the end where that is wished for.
  std::int64_t order_at(std::int64_t i) const {
    const auto count = static_cast<std::int64_t>(levels_.timesteps.size());
    const auto history = static_cast<std::int64_t>(history_.size());
    if (ratio(i) <= ratio(i + 1)) return 1;  // a step of length 0 has no derivatives
    return solver_->lower_order_final ? std::min(history, count - i) : history;
  }

  // What a step from level i to level i + 1 is made of, with the history as it stands.
  struct Parts {
    at::Tensor first_order;          // without any D
    double scale;                    // of the sum of rho_j D_j
    std::vector<double> nodes;       // r_j
    std::vector<at::Tensor> slopes;  // D_j
    std::vector<double> b;
  };

  Parts parts(std::int64_t i, std::int64_t order) const {
    const NoiseLevel from = level_of_ratio(ratio(i));
    const NoiseLevel to = level_of_ratio(ratio(i + 1));
    const double h = lambda(i + 1) - lambda(i);
    const double k = solver_->data_prediction ? -h : h;
    const double keep = solver_->data_prediction ? to.sigma / from.sigma : to.alpha / from.alpha;
    const double pull = solver_->data_prediction ? to.alpha : to.sigma;
    Parts parts;
    parts.first_order = begin_ * keep - history_[0] * (pull * std::expm1(k));
    const double variant = solver_->first_variant ? k : std::expm1(k);
    parts.scale = -pull * variant;
    for (std::int64_t j = 1; j < order; ++j) {
      const double r = (lambda(i - j) - lambda(i)) / h;
      parts.nodes.push_back(r);
      parts.slopes.push_back((history_[static_cast<size_t>(j)] - history_[0]) / r);
    }
    double phi = std::expm1(k) / k - 1;
    double factorial = 1;
    for (std::int64_t j = 1; j <= order; ++j) {
      parts.b.push_back(phi * factorial / variant);
      factorial *= static_cast<double>(j + 1);
      phi = phi / k - 1 / factorial;
    }
    return parts;
  }

  // Algorithm 2: the sample at level i + 1.
  at::Tensor predicted(std::int64_t i) const {
    Parts step = parts(i, step_order_);
    if (step.nodes.empty()) return step.first_order;
    step.b.pop_back();
    const auto rho = step.nodes.size() == 1 ? std::vector<double>{0.5} : solve_powers(step.nodes, step.b);
    return step.first_order + weighted(rho, step.slopes) * step.scale;
  }

  // Algorithm 1: the sample at level i once more, now that the prediction there is known.
  at::Tensor corrected(std::int64_t i, const at::Tensor& prediction) const {
    Parts step = parts(i - 1, step_order_);
    step.nodes.push_back(1);
    step.slopes.push_back(prediction - history_[0]);
    const auto rho = step.nodes.size() == 1 ? std::vector<double>{0.5} : solve_powers(step.nodes, step.b);
    return step.first_order + weighted(rho, step.slopes) * step.scale;
  }

  static at::Tensor weighted(const std::vector<double>& weights, const std::vector<at::Tensor>& tensors) {
    at::Tensor sum = tensors[0] * weights[0];
    for (size_t j = 1; j < tensors.size(); ++j) sum = sum + tensors[j] * weights[j];
    return sum;
  }

  std::shared_ptr<const UniPc> solver_;
  SolverLevels levels_;
  StepOrder order_;
  std::deque<at::Tensor> history_;  // newest first, at most as many as the solver's order
  at::Tensor begin_;                // the sample, corrected, at which the latest step began
  std::int64_t step_order_ = 1;     // the order of that step
};

}  // namespace

std::unique_ptr<const Scheduler> make_unipc(const config::Scheduler& config) {
  return std::make_unique<const SolverScheduler<UniPc, UniPcRun>>(config);
}

}  // namespace fjord::schedulers
