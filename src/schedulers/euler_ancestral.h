// Euler's method with the ancestral sampler's noise at every step.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.EulerAncestralDiscreteScheduler; prediction_type sample, which it lacks, works too. Throws
// kUnsupported or kInvalidArgument, naming the field, for a configuration that it does not understand.
std::unique_ptr<const Scheduler> make_euler_ancestral(const config::Scheduler& config);

}  // namespace fjord::schedulers
