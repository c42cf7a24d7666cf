// Ranges of a request's pictures, masks, variations, second pass, and the sizes that follow from them.
#pragma once

#include <fjord/pipeline.h>

namespace fjord::pipeline {

// Fills `request`'s width, height, number of images and strength where its pictures decide them. Throws
// Error(kInvalidArgument), naming the field. Sizes are not checked against the model's limits yet.
void check_image_input(Request& request, const PipelineInfo& info);

// Throws Error(kInvalidArgument) for a variation or a second pass that does not fit. The sizes are known.
void check_passes(const Request& request, const PipelineInfo& info);

}  // namespace fjord::pipeline
