// float16 and bfloat16 as their bits, rounded to nearest even as the GPU rounds.
#pragma once

#include "kernels/cuda/kernels.h"

#include <cstdint>

namespace fjord::testing {

using kernels::cuda::Element;

float half_to_float(std::uint16_t bits);
std::uint16_t float_to_half(float x);
float bfloat_to_float(std::uint16_t bits);
std::uint16_t float_to_bfloat(float x);

// By element; kFloat32 has no 16-bit form.
float from_bits(Element element, std::uint16_t bits);
std::uint16_t to_bits(Element element, float x);

}  // namespace fjord::testing
