// Activation functions of vectors.
#pragma once

#include "kernels/cpu/simd.h"

namespace fjord::kernels {
namespace {

// x / (1 + e^-x)
FJORD_INLINE Vec silu(Vec x) { return x / (broadcast(1.0f) + exp(-x)); }

// x / (1 + e^-1.702x)
FJORD_INLINE Vec quick_gelu(Vec x) { return x / (broadcast(1.0f) + exp(x * broadcast(-1.702f))); }

// erf(x), x >= 0, by 1 - t (a1 + t (a2 + ...)) e^(-x^2), t = 1 / (1 + p x): Abramowitz and Stegun 7.1.26, absolute
// error 1.5e-7.
FJORD_INLINE Vec erf_of_positive(Vec x) {
  const Vec t = broadcast(1.0f) / (broadcast(1.0f) + broadcast(0.3275911f) * x);
  Vec y = broadcast(1.061405429f);
  for (const float a : {-1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f}) y = y * t + broadcast(a);
  return broadcast(1.0f) - y * t * exp(-(x * x));
}

// x (1 + erf(x / sqrt(2))) / 2
FJORD_INLINE Vec gelu(Vec x) {
  const Vec scaled = x * broadcast(0.707106781f);
  const Vec half = broadcast(0.5f) * x;
  return half + select(x < Vec{}, -half, half) * erf_of_positive(max(scaled, -scaled));
}

FJORD_INLINE Vec activate(Activation activation, Vec x) {
  switch (activation) {
    case Activation::kNone: break;
    case Activation::kSilu: return silu(x);
    case Activation::kGelu: return gelu(x);
    case Activation::kQuickGelu: return quick_gelu(x);
  }
  return x;
}

}  // namespace
}  // namespace fjord::kernels
