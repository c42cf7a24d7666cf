// Linear multistep (Adams-Bashforth) of up to order 4, exact for the spacing of its levels.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.LMSDiscreteScheduler, whose step() has order 4 unless told otherwise. Throws kUnsupported or
// kInvalidArgument, naming the field, for a configuration that it does not understand.
std::unique_ptr<const Scheduler> make_lms(const config::Scheduler& config);

}  // namespace fjord::schedulers
