// DDIM, "Denoising Diffusion Implicit Models", Song, Meng, Ermon 2020, arXiv:2010.02502.
//   alpha_bar_t  the paper's alpha_t: how much of the clean sample's variance is left at timestep t
//   t, prev      this timestep and the one that the stride ends at
//   sigma        eta sqrt((1 - alpha_bar_prev) / (1 - alpha_bar_t)) sqrt(1 - alpha_bar_t / alpha_bar_prev)     eq. 16
//   x_prev       sqrt(alpha_bar_prev) x_0 + sqrt(1 - alpha_bar_prev - sigma^2) eps + sigma z                  eq. 12
//   set_alpha_to_one  alpha_bar past the last timestep is 1, else that of timestep 0
//
// For every spacing a stride is num_train_timesteps / steps (rounded down) long, so that trailing and linspace strides
// end beside the next timestep, not on it: that is what the reference does.
#include "schedulers/ddim.h"

#include "core/check.h"
#include "schedulers/clean_limit.h"
#include "schedulers/noise_schedule.h"
#include "schedulers/prediction.h"
#include "schedulers/step_order.h"
#include "schedulers/timestep_spacing.h"

#include <algorithm>
#include <cmath>

namespace fjord::schedulers {
namespace {

struct Ddim {
  explicit Ddim(const config::Scheduler& config)
      : alpha_bar(to_doubles(alphas_cumprod(config, config.rescale_betas_zero_snr.value_or(false)))),
        final_alpha_bar(config.set_alpha_to_one.value_or(true) ? 1.0 : alpha_bar[0]),
        type(prediction_type(config)),
        spacing(timestep_spacing(config, "leading")),
        offset(config.steps_offset.value_or(0)),
        limit(config, CleanLimit::Clipping::kByDefault),
        eta(config.eta.value_or(0)) {
    check(eta >= 0 && eta <= 1, ErrorCode::kInvalidArgument, "eta must be from 0 to 1, got ", eta);
  }

  std::vector<double> alpha_bar;
  double final_alpha_bar;
  PredictionType type;
  Spacing spacing;
  std::int64_t offset;
  CleanLimit limit;
  double eta;
};

class DdimRun : public SchedulerRun {
 public:
  // Stride i leads from timesteps[i] to ends[i]; a negative end is the end of the schedule.
  DdimRun(std::shared_ptr<const Ddim> schedule, std::vector<double> timesteps, std::vector<double> ends)
      : schedule_(std::move(schedule)),
        timesteps_(std::move(timesteps)),
        ends_(std::move(ends)),
        order_(static_cast<std::int64_t>(timesteps_.size())) {}

  const std::vector<double>& timesteps() const override { return timesteps_; }

  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample,
                  const DrawNoise& draw_noise) override {
    order_.advance(i);
    const at::Tensor output = split_prediction(prediction, sample, false).mean;
    const double alpha_bar = alpha_bar_at(timesteps_, i);
    const double alpha_bar_prev = alpha_bar_at(ends_, i);
    const at::Tensor clean = limited_clean(output, i, sample);
    const at::Tensor noise = to_noise(schedule_->type, output, sample, level_of_alpha_bar(alpha_bar));
    // eq. 16; where the stride ends on its own level the difference may round below 0
    const double variance = (1 - alpha_bar_prev) / (1 - alpha_bar) * (1 - alpha_bar / alpha_bar_prev);
    const double sigma = schedule_->eta * std::sqrt(std::max(variance, 0.0));
    // eq. 12
    const double direction = std::sqrt(std::max(1 - alpha_bar_prev - sigma * sigma, 0.0));
    const at::Tensor next = clean * std::sqrt(alpha_bar_prev) + noise * direction;
    if (schedule_->eta <= 0) return next;
    return next + draw_noise(sample.sizes()).to(sample.scalar_type()) * sigma;
  }

  at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const override {
    order_.check_index(i);
    return limited_clean(split_prediction(prediction, sample, false).mean, i, sample);
  }

  at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t i) const override {
    order_.check_index(i);
    return mix_noise(clean, noise, level_of_alpha_bar(alpha_bar_at(timesteps_, i)));
  }

 private:
  double alpha_bar_at(const std::vector<double>& timesteps, std::int64_t i) const {
    const double timestep = timesteps[static_cast<size_t>(i)];
    return timestep < 0 ? schedule_->final_alpha_bar : schedule_->alpha_bar[static_cast<size_t>(timestep)];
  }

  at::Tensor limited_clean(const at::Tensor& output, std::int64_t i, const at::Tensor& sample) const {
    const NoiseLevel level = level_of_alpha_bar(alpha_bar_at(timesteps_, i));
    return schedule_->limit.apply(to_clean(schedule_->type, output, sample, level));
  }

  std::shared_ptr<const Ddim> schedule_;
  std::vector<double> timesteps_;
  std::vector<double> ends_;
  StepOrder order_;
};

class DdimScheduler : public Scheduler {
 public:
  explicit DdimScheduler(const config::Scheduler& config) : schedule_(std::make_shared<const Ddim>(config)) {}

  std::unique_ptr<SchedulerRun> start(const SchedulePlan& plan) const override {
    const std::int64_t train = num_train_timesteps();
    check_plan(plan, train);
    const bool custom = !plan.timesteps.empty();
    auto timesteps =
        custom ? plan.timesteps : spaced_timesteps(schedule_->spacing, train, plan.steps, schedule_->offset);
    check_in_table(timesteps, train);
    const double first = schedule_->alpha_bar[static_cast<size_t>(timesteps[0])];
    check_signal(first, schedule_->type, schedule_->limit.active());
    std::vector<double> ends(timesteps.begin() + 1, timesteps.end());
    ends.push_back(-1);
    if (!custom) {
      const auto stride = static_cast<double>(train / plan.steps);
      std::transform(timesteps.begin(), timesteps.end(), ends.begin(), [&](double t) { return t - stride; });
    }
    return std::make_unique<DdimRun>(schedule_, std::move(timesteps), std::move(ends));
  }
  std::int64_t num_train_timesteps() const override { return static_cast<std::int64_t>(schedule_->alpha_bar.size()); }
  std::string name() const override { return "DDIMScheduler"; }

 private:
  std::shared_ptr<const Ddim> schedule_;
};

}  // namespace

std::unique_ptr<const Scheduler> make_ddim(const config::Scheduler& config) {
  return std::make_unique<const DdimScheduler>(config);
}

}  // namespace fjord::schedulers
