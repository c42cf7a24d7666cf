// Which scheduler a request uses: the model folder's, that with other options, or another class over its schedule.
#pragma once

#include "config/scheduler.h"
#include "pipeline/family.h"

#include <fjord/request.h>
#include <fjord/torch/scheduler.h>

#include <memory>

namespace fjord::pipeline {

// The scheduler that request.reproduction.sigmas names, where it names one. `folder` is the model's
// scheduler_config.json. Throws Error: kUnsupported for an unknown class, kInvalidArgument for an unknown option or a
// bad value.
std::shared_ptr<const Scheduler> choose_scheduler(const config::Scheduler& folder, OutdatedScheduler outdated,
                                                  const Request& request);

}  // namespace fjord::pipeline
