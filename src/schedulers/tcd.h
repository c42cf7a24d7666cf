// Trajectory consistency distillation: jumps along the trajectory, and partly noise again.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.TCDScheduler; `eta` (0..1, the paper's gamma) is the argument of its step(), 0 by default as in
// StableDiffusionPipeline. Throws kUnsupported or kInvalidArgument, naming the field, for a
// configuration that it does not understand.
std::unique_ptr<const Scheduler> make_tcd(const config::Scheduler& config);

}  // namespace fjord::schedulers
