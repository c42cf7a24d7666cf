// Heun's method: two evaluations a step, the second at its end.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.HeunDiscreteScheduler. Throws kUnsupported or kInvalidArgument, naming the field, for a
// configuration that it does not understand.
std::unique_ptr<const Scheduler> make_heun(const config::Scheduler& config);

}  // namespace fjord::schedulers
