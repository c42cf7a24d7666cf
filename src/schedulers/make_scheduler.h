// The list of scheduler classes that fjord implements.
#pragma once

#include "config/scheduler.h"

#include <fjord/torch/scheduler.h>

#include <memory>
#include <string>
#include <vector>

namespace fjord::schedulers {

// The scheduler of class config.class_name. Throws kUnsupported, listing the implemented classes, for another class or
// naming the field for a word that the class does not understand; kInvalidArgument for numbers that contradict.
std::unique_ptr<const Scheduler> make_scheduler(const config::Scheduler& config);

// The implemented class names.
std::vector<std::string> scheduler_names();

}  // namespace fjord::schedulers
