// UniPC: a multistep predictor whose every step is corrected by the next evaluation.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.UniPCMultistepScheduler without solver_p. Throws kUnsupported or kInvalidArgument, naming the
// field, for a configuration that it does not understand.
std::unique_ptr<const Scheduler> make_unipc(const config::Scheduler& config);

}  // namespace fjord::schedulers
