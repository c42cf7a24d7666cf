// The ranges of a request's Guidance.
#pragma once

#include <fjord/pipeline.h>

namespace fjord::pipeline {

// Fills Request::guidance with the largest scale of the schedule, if there is one. Throws Error(kInvalidArgument)
// naming the field and its range, and for options that cannot be combined.
void check_guidance(Request& request, const PipelineInfo& info);

}  // namespace fjord::pipeline
