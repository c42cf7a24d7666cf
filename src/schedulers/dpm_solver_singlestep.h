// DPM-Solver that takes its intermediate points within one long step: groups of up to three evaluations.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.DPMSolverSinglestepScheduler. Throws kUnsupported or kInvalidArgument, naming the field, for a
// configuration that it does not understand.
std::unique_ptr<const Scheduler> make_dpm_solver_singlestep(const config::Scheduler& config);

}  // namespace fjord::schedulers
