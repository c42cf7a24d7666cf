// The gate of the transformer's MLP.
#include "kernels/cpu/simd.h"
#include "kernels/cpu/table.h"

namespace fjord::kernels {
namespace {

// erf(x) of |x| by 1 - t (a1 + t (a2 + ...)) e^(-x^2), t = 1 / (1 + p |x|): Abramowitz and Stegun 7.1.26, absolute
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
  const Vec positive = erf_of_positive(max(scaled, -scaled));
  const Vec half = broadcast(0.5f) * x;
  return half + select(x < Vec{}, -half, half) * positive;
}

template <typename T>
void gate_rows(const GegluProblem& p, Index begin, Index end) {
  for (Index row = begin; row < end; ++row) {
    const auto* values = static_cast<const T*>(p.x) + row * 2 * p.features;
    const auto* gates = values + p.features;
    auto* out = static_cast<T*>(p.out) + row * p.features;
    Index c = 0;
    for (; c + kLanes <= p.features; c += kLanes) store(out + c, load(values + c) * gelu(load(gates + c)));
    if (const auto rest = p.features - c; rest > 0) {
      store_some(out + c, load_some(values + c, rest) * gelu(load_some(gates + c, rest)), rest);
    }
  }
}

}  // namespace

namespace FJORD_ISA {

void geglu(const GegluProblem& p, Index begin, Index end) {
  p.element == Element::kFloat32 ? gate_rows<float>(p, begin, end) : gate_rows<BFloat16>(p, begin, end);
}

}  // namespace FJORD_ISA
}  // namespace fjord::kernels
