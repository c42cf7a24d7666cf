// Latent consistency models: jumps to the clean sample, and noise again.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.LCMScheduler. Throws kUnsupported or kInvalidArgument, naming the field, for a
// configuration that it does not understand.
std::unique_ptr<const Scheduler> make_lcm(const config::Scheduler& config);

}  // namespace fjord::schedulers
