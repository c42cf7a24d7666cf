// DPM-Solver++ SDE, k-diffusion's "dpmpp_sde" by Katherine Crowson: the singlestep solver of "DPM-Solver++", Lu et al.
// 2022, arXiv:2211.01095, with r = 1/2, whose both halves take an ancestral step and draw their noise from one Brownian
// motion, so that the noise does not depend on the number of steps.
//   t            -log sigma
//   from, to     levels of an evaluation's step: `to` is halfway in t for the first, the end for the second
//   up, down     to^2 = down^2 + up^2, up^2 = to^2 (from^2 - to^2) / from^2
//   x_to         (down / from) x - (e^(t_from - t_down) - 1) x_0 + up z,  z the motion's increment, scaled to variance
//   1
#include "schedulers/dpm_solver_sde.h"

#include "core/check.h"
#include "schedulers/brownian_tree.h"
#include "schedulers/sigma_run.h"
#include "schedulers/sigma_schedule.h"
#include "schedulers/solver_scheduler.h"

#include <ATen/ops/exp.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/log.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>

namespace fjord::schedulers {
namespace {

struct DpmSolverSde {
  explicit DpmSolverSde(const config::Scheduler& config)
      : schedule(config, {.wide_timesteps = true}),
        noise_scale(config.s_noise.value_or(1)),
        seeds(config.request_seeds.empty() ? std::vector<std::uint64_t>{0} : config.request_seeds) {
    if (config.noise_sampler_seed) seeds = {static_cast<std::uint64_t>(*config.noise_sampler_seed)};
  }

  std::int64_t num_train_timesteps() const { return schedule.num_train_timesteps(); }

  SigmaSchedule schedule;
  double noise_scale;
  std::vector<std::uint64_t> seeds;  // one for the batch, or one for every image
};

// Halfway in log sigma to the next level, and the timestep there.
SigmaSteps middles(const SigmaSchedule& schedule, const SigmaSteps& steps) {
  SigmaSteps result;
  for (size_t i = 0; i + 1 < steps.timesteps.size(); ++i) {
    const double t = -std::log(steps.exact_sigmas[i]);
    const double t_next = -std::log(steps.exact_sigmas[i + 1]);
    result.sigmas.push_back(std::exp(-(t + (t_next - t) * 0.5)));
    result.timesteps.push_back(schedule.training().timestep_of(result.sigmas.back()));
  }
  return result;
}

// Increments of the motions of all images, scaled to variance 1.
class BrownianNoise {
 public:
  BrownianNoise(const at::Tensor& sample, double low, double high, const std::vector<std::uint64_t>& seeds)
      : device_(sample.device()) {
    auto shape = sample.sizes().vec();
    check(seeds.size() == 1 || static_cast<std::int64_t>(seeds.size()) == shape[0], ErrorCode::kInvalidArgument,
          "expected one seed or one for each of ", shape[0], " images, got ", seeds.size());
    if (seeds.size() > 1) shape.erase(shape.begin());
    const auto dtype = sample.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    for (const std::uint64_t seed : seeds) trees_.emplace_back(low, high, shape, dtype, seed);
  }

  // The motion runs from low to high levels, the sampler the other way.
  at::Tensor between(double from, double to, double length) const {
    std::vector<at::Tensor> increments;
    for (const auto& tree : trees_) increments.push_back(tree.increment(to, from));
    const at::Tensor joined = increments.size() == 1 ? increments[0] : at::stack(increments);
    return (-joined / std::sqrt(length)).to(device_);
  }

 private:
  at::Device device_;
  std::vector<BrownianTree> trees_;
};

class DpmSolverSdeRun : public SigmaRun {
 public:
  DpmSolverSdeRun(std::shared_ptr<const DpmSolverSde> solver, const SchedulePlan& plan)
      : DpmSolverSdeRun(solver, solver->schedule.steps(plan)) {}

  at::Tensor scale_model_input(const at::Tensor& sample, std::int64_t i) const override {
    const double level = level_of(i, sample);
    return sample / std::sqrt(level * level + 1);
  }

  at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const override {
    const double level = level_of(i, sample);
    const at::Tensor mean = split_prediction(prediction, sample, false).mean;
    return to_clean_exploding(type(), mean, sample, level, level);
  }

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample, const DrawNoise&) override {
    const at::Tensor output = advance(prediction, i, sample);
    const at::Tensor clean = predict_clean(output, i, sample);
    const auto step = static_cast<size_t>(i) / 2;
    const double level = sigmas_[step];
    const double next = sigmas_[step + 1];
    if (next <= 0) return sample + (sample - clean) / level * (next - level);
    const at::Tensor t = scalar(level, sample).log().neg();
    const at::Tensor t_next = scalar(next, sample).log().neg();
    if (begins_step(i)) begin_ = sample;
    return stride(clean, t, begins_step(i) ? middle(t, t_next) : t_next);
  }

 private:
  DpmSolverSdeRun(std::shared_ptr<const DpmSolverSde> solver, const SigmaSteps& steps)
      : SigmaRun(solver->schedule.type(), evaluations_with(solver->schedule, steps, middles(solver->schedule, steps))),
        solver_(std::move(solver)),
        sigmas_(steps.sigmas) {}

  // The times of the noise are rounded to 1e-6 of a level: their last bits decide, so they are worked out in the
  // precision of the reference, which is that of the sample.
  static at::Tensor scalar(double value, const at::Tensor& sample) {
    const auto dtype = sample.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    return at::scalar_tensor(value, at::TensorOptions().dtype(dtype));
  }
  static at::Tensor middle(const at::Tensor& t, const at::Tensor& t_next) { return t + (t_next - t) * 0.5; }

  // The level of the sample that the network sees at evaluation i.
  double level_of(std::int64_t i, const at::Tensor& sample) const {
    const double level = sigma(i);
    if (begins_step(i)) return level;
    const auto step = static_cast<size_t>(i) / 2;
    const at::Tensor t = scalar(sigmas_[step], sample).log().neg();
    return middle(t, scalar(sigmas_[step + 1], sample).log().neg()).neg().exp().item<double>();
  }

  // From where the step began to the time t_to.
  at::Tensor stride(const at::Tensor& clean, const at::Tensor& t, const at::Tensor& t_to) {
    const at::Tensor from = t.neg().exp();
    const at::Tensor to = t_to.neg().exp();
    const at::Tensor up = at::minimum(to, (to * to * (from * from - to * to) / (from * from)).sqrt());
    const at::Tensor down = (to * to - up * up).sqrt();
    const at::Tensor t_down = down.log().neg();
    const double keep = (t_down.neg().exp() / from).item<double>();
    const double decay = (t - t_down).expm1().item<double>();
    const double length = (to - from).abs().item<double>();
    const at::Tensor noise = brownian(begin_).between(from.item<double>(), to.item<double>(), length);
    const double scale = solver_->noise_scale * up.item<double>();
    return begin_ * keep - clean * decay + noise.to(begin_.scalar_type()) * scale;
  }

  const BrownianNoise& brownian(const at::Tensor& sample) {
    if (!brownian_) {
      const double low = sigmas_.back() > 0 ? sigmas_.back() : sigmas_[sigmas_.size() - 2];
      brownian_.emplace(sample, low, sigmas_.front(), solver_->seeds);
    }
    return *brownian_;
  }

  std::shared_ptr<const DpmSolverSde> solver_;
  std::vector<double> sigmas_;
  at::Tensor begin_;  // the sample at which the present step began
  std::optional<BrownianNoise> brownian_;
};

}  // namespace

std::unique_ptr<const Scheduler> make_dpm_solver_sde(const config::Scheduler& config) {
  return std::make_unique<const SolverScheduler<DpmSolverSde, DpmSolverSdeRun>>(config);
}

}  // namespace fjord::schedulers
