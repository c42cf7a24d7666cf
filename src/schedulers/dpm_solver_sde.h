// DPM-Solver++ SDE in Karras' parametrisation: two evaluations a step, noise from a Brownian tree.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::schedulers {

// Reference: diffusers.DPMSolverSDEScheduler; s_noise is the argument of its step(), prediction_type sample, which it
// lacks, works too. The tree's seed is noise_sampler_seed, or else the request's own; the reference then draws one that
// nobody can repeat. Throws kUnsupported or kInvalidArgument, naming the field, for a
// configuration that it does not understand.
std::unique_ptr<const Scheduler> make_dpm_solver_sde(const config::Scheduler& config);

}  // namespace fjord::schedulers
