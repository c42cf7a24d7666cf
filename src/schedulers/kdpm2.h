// DPM-Solver-2 in Karras' parametrisation: two evaluations a step, the second halfway in log sigma.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.KDPM2DiscreteScheduler; prediction_type sample, which it lacks, works too. Throws kUnsupported
// or kInvalidArgument, naming the field, for a configuration that it does not understand.
std::unique_ptr<const Scheduler> make_kdpm2(const config::Scheduler& config);

}  // namespace fjord::schedulers
