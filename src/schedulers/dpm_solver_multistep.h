// DPM-Solver that reuses the predictions of earlier steps: one network evaluation a step.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.DPMSolverMultistepScheduler. Throws kUnsupported or kInvalidArgument, naming the field, for a
// configuration that it does not understand.
std::unique_ptr<const Scheduler> make_dpm_solver_multistep(const config::Scheduler& config);

}  // namespace fjord::schedulers
