#include "kernels/float16.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace fjord::testing {

namespace {

float compute_half(std::uint16_t bits) {
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  if (exponent == 31) return mantissa != 0 ? std::numeric_limits<float>::quiet_NaN() : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
}

std::vector<float> all_halves() {
  std::vector<float> out;
  for (unsigned bits = 0; bits < 0x10000; ++bits) out.push_back(compute_half(static_cast<std::uint16_t>(bits)));
  return out;
}

}  // namespace

float half_to_float(std::uint16_t bits) {
  static const std::vector<float> values = all_halves();
  return values[bits];
}

std::uint16_t float_to_half(float x) {
  const auto sign = static_cast<std::uint16_t>(std::signbit(x) ? 0x8000 : 0);
  if (std::isnan(x)) return 0x7fff;
  const float size = std::fabs(x);
  if (size >= 65520.0F) return sign | 0x7c00;  // halfway to what would be 65536
  if (size == 0) return sign;
  int exponent = 0;
  std::frexp(size, &exponent);
  const int unit = std::max(exponent - 11, -24);  // of the last place
  const auto steps = static_cast<int>(std::nearbyint(std::ldexp(size, -unit)));
  // 2048 steps carry into the next exponent by themselves.
  const int bits = unit == -24 ? steps : ((unit + 24) << 10) + steps;
  return static_cast<std::uint16_t>(sign | bits);
}

float bfloat_to_float(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::uint16_t float_to_bfloat(float x) {
  if (std::isnan(x)) return 0x7fff;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float from_bits(Element element, std::uint16_t bits) {
  return element == Element::kFloat16 ? half_to_float(bits) : bfloat_to_float(bits);
}

std::uint16_t to_bits(Element element, float x) {
  return element == Element::kFloat16 ? float_to_half(x) : float_to_bfloat(x);
}

}  // namespace fjord::testing
