// The noise that a request begins with: given, drawn from its seed, or between that of two seeds.
#pragma once

#include "core/random.h"

#include <fjord/request.h>

#include <ATen/core/Tensor.h>

namespace fjord::pipeline {

// The random stream of a request, or one for each of its images.
NoiseStream make_noise_stream(const Request& request);

// shape: [images, channels, height, width] -> float32 of unit variance, on the CPU.
// Throws Error(kInvalidArgument) for latents of the request's that do not fit.
at::Tensor initial_noise(const Request& request, at::IntArrayRef shape, NoiseStream& stream);

// From `a` to `b` along a great circle, each image on its own: sin((1 - share) w) / sin(w) a + sin(share w) / sin(w) b,
// where w is the angle between them ("Animating rotation with quaternion curves", Shoemake 1985).
at::Tensor slerp(const at::Tensor& a, const at::Tensor& b, double share);

}  // namespace fjord::pipeline
