// The numbers that a U-Net with pooled text is told about the picture. arXiv:2307.01952, section 2.2.
// Reference: _get_add_time_ids of diffusers' pipelines with two text encoders.
#pragma once

#include "pipeline/family.h"

#include <fjord/request.h>

#include <ATen/core/Tensor.h>

namespace fjord::pipeline {

// How many numbers there are: 6, or 5 where a score takes the place of the target size.
std::int64_t size_count(const Family& family);

// Original height and width, crop's top and left, then target height and width or the score: float32 [1, size_count].
at::Tensor size_conditions(const Family& family, const Request& request);
// Likewise for the branch without the prompt.
at::Tensor negative_size_conditions(const Family& family, const Request& request);

}  // namespace fjord::pipeline
