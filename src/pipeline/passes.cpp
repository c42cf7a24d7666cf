#include "pipeline/passes.h"

#include "core/check.h"
#include "pipeline/step_range.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace fjord::pipeline {
namespace {

// Reference: get_timesteps of StableDiffusionImg2ImgPipeline. Custom timesteps are as many steps, custom sigmas one
// more.
std::int64_t planned_steps(const SchedulerRun& run, const Request& request) {
  if (!request.sigmas.empty()) return static_cast<std::int64_t>(request.sigmas.size()) - 1;
  return request.timesteps.empty() ? request.steps : static_cast<std::int64_t>(run.timesteps().size());
}

std::int64_t first_evaluation(const SchedulerRun& run, const Request& request, double strength) {
  const auto evaluations = static_cast<std::int64_t>(run.timesteps().size());
  const std::int64_t steps = planned_steps(run, request);
  const auto kept = std::min(static_cast<std::int64_t>(static_cast<double>(steps) * strength), steps);
  const auto first = (steps - kept) * run.evaluations_per_step();
  check(kept >= 1 && first < evaluations, ErrorCode::kInvalidArgument, "a strength of ", strength, " leaves none of ",
        steps, " steps; expected at least ", 1.0 / static_cast<double>(steps));
  return first;
}

PassPlan plan_pass(const Scheduler& scheduler, Request request, std::optional<double> strength) {
  request.image_input.images.clear();  // the canvas has them
  request.image_input.inpaint.mask = {};
  request.controls.clear();
  request.image_prompts.clear();  // the conditioning has them
  PassPlan plan;
  plan.another_run = [&scheduler, schedule = SchedulePlan{request.steps, request.timesteps, request.sigmas}] {
    return scheduler.start(schedule);
  };
  plan.run = plan.another_run();
  plan.request = std::move(request);
  const auto range = steps_within(plan.request.range, plan.run->timesteps(), scheduler.num_train_timesteps());
  plan.first = static_cast<std::int64_t>(range.first);
  plan.last = static_cast<std::int64_t>(range.last);
  if (strength) plan.first = first_evaluation(*plan.run, plan.request, *strength);
  check(plan.first < plan.last, ErrorCode::kInvalidArgument, "the strength and the denoising range leave no step");
  return plan;
}

Request second_request(const Request& request, int size_multiple) {
  auto out = request;
  const auto size = second_pass_size(request, size_multiple);
  out.width = size.width;
  out.height = size.height;
  out.latents = {};
  out.range = {};
  out.variation = {};
  if (request.hires.steps != 0) {
    out.steps = request.hires.steps;
    out.timesteps.clear();
    out.sigmas.clear();
  }
  return out;
}

}  // namespace

std::vector<double> PassPlan::timesteps() const {
  const auto& all = run->timesteps();
  return {all.begin() + first, all.begin() + last};
}

RunSize second_pass_size(const Request& request, int size_multiple) {
  const auto enlarged = [&](int side) {
    return static_cast<int>(side * request.hires.scale) / size_multiple * size_multiple;
  };
  return {enlarged(request.width), enlarged(request.height)};
}

std::vector<PassPlan> plan_passes(const Scheduler& scheduler, const Request& request, int size_multiple) {
  std::vector<PassPlan> plans;
  plans.push_back(
      plan_pass(scheduler, request, request.image_input.images.empty() ? std::nullopt : request.image_input.strength));
  if (request.hires.scale > 1) {
    plans.push_back(plan_pass(scheduler, second_request(request, size_multiple), request.hires.strength));
  }
  return plans;
}

}  // namespace fjord::pipeline
