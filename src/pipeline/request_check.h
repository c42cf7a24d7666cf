// A request's values against the model's limits.
#pragma once

#include <fjord/pipeline.h>

namespace fjord::pipeline {

// The request with every default filled in. Throws Error(kInvalidArgument) naming the field and its range.
Request checked_request(const Request& request, const PipelineInfo& info);

}  // namespace fjord::pipeline
