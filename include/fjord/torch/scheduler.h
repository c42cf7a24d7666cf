// Schedulers: from the network's prediction at a noisy sample to a less noisy one.
// This is the opt-in tier for users who link LibTorch themselves: derive from Scheduler and SchedulerRun to bring your
// own and hand it over as Request::custom_scheduler.
#pragma once

#include <fjord/export.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fjord {

// Draws standard normal noise of the given shape from the request's random stream, on the sample's device. It comes in
// float32, whatever the sample's dtype is; the scheduler casts it to the dtype in which it works.
using DrawNoise = std::function<at::Tensor(at::IntArrayRef shape)>;

// How a run is to be laid out.
struct SchedulePlan {
  int steps = 0;                  // number of denoising steps, >= 1; ignored when timesteps are given
  std::vector<double> timesteps;  // custom timesteps, falling; fjord's own schedulers want whole numbers from 0 to the
                                  // last training timestep. Empty: by the scheduler's own spacing
  std::vector<double> sigmas = {};  // custom noise-to-signal ratios, falling, one more than steps: the last, which may
                                    // be 0, is where the run ends. Taken in place of timesteps; empty: by the spacing
};

// One request's walk from noise to sample. Holds the solver's history; used by one thread.
// Samples are [batch, channels, height, width]; `i` counts timesteps() from 0 and must rise by one from call to call.
// The first call may name any i (img2img starts in the middle). A run may keep the tensors that it is given: do not
// write to them afterwards. What breaks these rules, or has another shape, throws Error(kInvalidArgument).
class FJORD_API SchedulerRun {
 public:
  virtual ~SchedulerRun() = default;

  // What the network is told at each evaluation, in order. Fractional for some schedules. Their number may differ from
  // the planned steps where the configuration cuts timesteps off.
  virtual const std::vector<double>& timesteps() const = 0;
  // How many evaluations make a step of the solver: img2img may start at multiples of it. 2 for Heun's method and its
  // kin, which look ahead; timesteps() are evaluations, not steps.
  virtual std::int64_t evaluations_per_step() const { return 1; }
  // Standard deviation that the initial noise must be scaled to.
  virtual double init_noise_sigma() const { return 1.0; }
  // What the network is fed instead of `sample` at evaluation i.
  virtual at::Tensor scale_model_input(const at::Tensor& sample, std::int64_t i) const;
  // The sample after evaluation i, in the dtype of `sample`. `prediction` has the sample's shape, or twice its channels
  // for a network that also predicts the variance, where the scheduler's configuration says so.
  virtual at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample,
                          const DrawNoise& draw_noise) = 0;
  // The clean sample that the prediction at evaluation i implies; used for previews. Does not touch the history.
  virtual at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample) const = 0;
  // `clean` with noise as strong as at evaluation i, from which img2img starts.
  virtual at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t i) const = 0;
};

// A noise schedule and a solver. Immutable; may be shared by any number of runs and threads.
class FJORD_API Scheduler {
 public:
  virtual ~Scheduler() = default;
  // Throws Error(kInvalidArgument) when the plan does not fit the schedule.
  virtual std::unique_ptr<SchedulerRun> start(const SchedulePlan& plan) const = 0;
  // Number of training timesteps: an upper bound of steps.
  virtual std::int64_t num_train_timesteps() const = 0;
  // Class name as in scheduler_config.json.
  virtual std::string name() const = 0;
};

}  // namespace fjord
