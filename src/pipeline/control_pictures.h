// The pictures that control networks see.
#pragma once

#include "pipeline/canvas.h"

#include <fjord/control.h>

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace fjord::pipeline {

// The picture of a use, or the request's own, at the run's size: [pictures, channels, height, width] in 0..1, float32
// on the CPU, -1 where it is hidden.
at::Tensor control_picture(const ControlUse& use, std::int64_t channels, const Canvas& canvas, const RunSize& size);

}  // namespace fjord::pipeline
