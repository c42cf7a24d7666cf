// Reference: set_timesteps of diffusers.LCMScheduler and TCDScheduler.
#include "schedulers/consistency_schedule.h"

#include "core/check.h"
#include "schedulers/timestep_spacing.h"

#include <cmath>

namespace fjord::schedulers {

std::vector<double> consistency_timesteps(std::int64_t original_steps, const SchedulePlan& plan, std::int64_t train) {
  check_plan(plan, train);
  if (!plan.timesteps.empty()) return plan.timesteps;
  check(plan.steps <= original_steps, ErrorCode::kInvalidArgument, "steps must be at most original_inference_steps, ",
        original_steps, ", got ", plan.steps);
  const std::int64_t stride = train / original_steps;
  const double gap = static_cast<double>(original_steps) / static_cast<double>(plan.steps);
  std::vector<double> timesteps;
  for (int i = 0; i < plan.steps; ++i) {
    const auto skipped = static_cast<std::int64_t>(std::floor(static_cast<double>(i) * gap));
    timesteps.push_back(static_cast<double>((original_steps - skipped) * stride - 1));
  }
  return timesteps;
}

std::int64_t original_inference_steps(const config::Scheduler& config, std::int64_t train) {
  const std::int64_t steps = config.original_inference_steps.value_or(50);
  check(steps >= 1 && steps <= train, ErrorCode::kInvalidArgument, "original_inference_steps must be from 1 to ", train,
        " (the timesteps of the training), got ", steps);
  return steps;
}

}  // namespace fjord::schedulers
