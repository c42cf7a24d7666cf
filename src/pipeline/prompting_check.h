// A request's prompts and micro-conditions against what the model knows.
#pragma once

#include <fjord/pipeline.h>

namespace fjord::pipeline {

// Throws Error(kInvalidArgument) naming the field and its range.
void check_prompting(const Prompting& prompting, const PipelineInfo& info);
void check_micro_conditions(const MicroConditions& micro, const PipelineInfo& info);

}  // namespace fjord::pipeline
