// Euler's method along the probability flow, with as much fresh noise in between as asked for (s_churn).
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.EulerDiscreteScheduler; s_churn, s_tmin, s_tmax and s_noise are the arguments of its step().
// Throws kUnsupported or kInvalidArgument, naming the field, for a configuration that it does not understand.
std::unique_ptr<const Scheduler> make_euler(const config::Scheduler& config);

}  // namespace fjord::schedulers
