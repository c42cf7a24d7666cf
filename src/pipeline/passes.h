// What a request's walks from noise to sample are: one, or with hires a second one over a larger picture.
#pragma once

#include "pipeline/canvas.h"

#include <fjord/request.h>
#include <fjord/torch/scheduler.h>

#include <functional>
#include <memory>
#include <vector>

namespace fjord::pipeline {

struct PassPlan {
  Request request;  // of this pass alone: its size and steps; without pictures, mask and controls
  std::unique_ptr<SchedulerRun> run;
  std::function<std::unique_ptr<SchedulerRun>()> another_run;  // likewise from its start
  std::int64_t first = 0;                                      // evaluation that the pass begins with
  std::int64_t last = 0;                                       // evaluation before which it ends

  // From the first to the last.
  std::vector<double> timesteps() const;
};

// The size of the second pass.
RunSize second_pass_size(const Request& request, int size_multiple);

// Every pass with its run started; the scheduler must outlive them. The request has passed checked_request. Throws
// Error(kInvalidArgument) if a strength leaves no step.
std::vector<PassPlan> plan_passes(const Scheduler& scheduler, const Request& request, int size_multiple);

}  // namespace fjord::pipeline
