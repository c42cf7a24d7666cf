// Denoising diffusion probabilistic models: ancestral sampling along the training timesteps.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.DDPMScheduler. Throws kUnsupported or kInvalidArgument, naming the field, for a configuration
// that it does not understand.
std::unique_ptr<const Scheduler> make_ddpm(const config::Scheduler& config);

}  // namespace fjord::schedulers
