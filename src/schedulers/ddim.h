// Denoising diffusion implicit models: deterministic strides, or with eta > 0 partly random ones.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.DDIMScheduler; `eta` (0..1, default 0) is the argument of its step(). Custom timesteps, which
// the reference does not take, lead each to the next and the last to the end of the schedule. Throws kUnsupported or
// kInvalidArgument, naming the field, for a configuration that it does not understand.
std::unique_ptr<const Scheduler> make_ddim(const config::Scheduler& config);

}  // namespace fjord::schedulers
