// The timesteps of schedulers for distilled networks: a few of those that the network was distilled on.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <vector>

namespace fjord::schedulers {

// `plan.steps` of the original_inference_steps (50) evenly spaced timesteps of the distillation, from the noisiest, or
// the plan's custom timesteps. `train`: the timesteps of the training. Throws kInvalidArgument for more steps than
// original_inference_steps and for a plan that does not fit.
std::vector<double> consistency_timesteps(std::int64_t original_steps, const SchedulePlan& plan, std::int64_t train);

// original_inference_steps of the configuration. Throws kInvalidArgument where it is beyond `train`.
std::int64_t original_inference_steps(const config::Scheduler& config, std::int64_t train);

}  // namespace fjord::schedulers
