// Pseudo numerical methods: Runge-Kutta or a repeated first step, then linear multistep of order 4.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.PNDMScheduler. Throws kUnsupported or kInvalidArgument, naming the field, for a
// configuration that it does not understand.
std::unique_ptr<const Scheduler> make_pndm(const config::Scheduler& config);

}  // namespace fjord::schedulers
