// Which training timesteps a run visits. Table 2 of arXiv:2305.08891 names the spacings.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <cstdint>
#include <vector>

namespace fjord::schedulers {

enum class Spacing { kLinspace, kLeading, kTrailing };

// Throws kUnsupported, naming it, for an unknown timestep_spacing.
Spacing timestep_spacing(const config::Scheduler& config, const char* fallback);

// numpy.linspace(start, stop, count), to the last bit.
std::vector<double> linspace(double start, double stop, std::int64_t count);

// Falling whole numbers; `train` is the number of training timesteps, 1 <= steps <= train.
// For DDPM and DDIM: `steps` timesteps.
std::vector<double> spaced_timesteps(Spacing spacing, std::int64_t train, std::int64_t steps, std::int64_t offset);
// For DPM-Solver: as above, but the schedule's end is a point of its own, so that one interval more is laid out. The
// run begins below `last`, which is under `train` where the noisiest timesteps are cut off (lambda_min_clipped).
struct SolverSpacing {
  Spacing spacing = Spacing::kLinspace;
  std::int64_t train = 1000;
  std::int64_t last = 1000;
  std::int64_t offset = 0;
};
std::vector<double> spaced_solver_timesteps(const SolverSpacing& spacing, std::int64_t steps);

// What a class takes besides a number of steps.
struct PlanRules {
  bool sigmas = false;      // custom noise levels
  bool fractional = false;  // custom timesteps that are not whole
};
// Throws kInvalidArgument unless the plan's custom timesteps or sigmas, or its number of steps, fit `train` training
// timesteps: custom timesteps must fall, lie from 0 to train - 1 and, unless the rules say otherwise, be whole; sigmas
// must be at least two, fall, and only the last may be 0; steps must be from 1 to train.
void check_plan(const SchedulePlan& plan, std::int64_t train, const PlanRules& rules = {});
// Throws kInvalidArgument unless all timesteps lie in the table; large offsets lead out of it.
void check_in_table(const std::vector<double>& timesteps, std::int64_t train);

}  // namespace fjord::schedulers
