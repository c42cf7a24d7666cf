// DEIS: exponential integrator with extrapolation in log rho.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.DEISMultistepScheduler. Throws kUnsupported or kInvalidArgument, naming the field, for a
// configuration that it does not understand.
std::unique_ptr<const Scheduler> make_deis(const config::Scheduler& config);

}  // namespace fjord::schedulers
