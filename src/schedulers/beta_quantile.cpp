// The cumulative probability is computed by its continued fraction (DLMF 8.17.22) with the modified method of Lentz,
// and inverted by bisection in log x, finished by Newton's steps.
#include "schedulers/beta_quantile.h"

#include <algorithm>
#include <cmath>

namespace fjord::schedulers {
namespace {

// The continued fraction of DLMF 8.17.22 at x < (a + 1) / (a + b + 2), where it converges fast.
double continued_fraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300;
  constexpr int kMaxTerms = 500;
  const auto guarded = [](double value) { return std::fabs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / guarded(1 - (a + b) * x / (a + 1));
  double value = d;
  for (int m = 1; m < kMaxTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guarded(1 + even * d);
    c = guarded(1 + even / c);
    value *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guarded(1 + odd * d);
    c = guarded(1 + odd / c);
    value *= d * c;
    if (std::fabs(d * c - 1) < 1e-16) break;
  }
  return value;
}

// log of x^a (1 - x)^b / B(a, b)
double log_weight(double x, double a, double b) {
  const double scale = std::tgamma(a + b) / (std::tgamma(a) * std::tgamma(b));
  return std::log(scale) + a * std::log(x) + b * std::log1p(-x);
}

// The cumulative probability at x, for x up to 1/2.
double lower_probability(double x, double a, double b) {
  if (x < (a + 1) / (a + b + 2)) return std::exp(log_weight(x, a, b)) * continued_fraction(x, a, b) / a;
  return 1 - std::exp(log_weight(x, a, b)) * continued_fraction(1 - x, b, a) / b;
}

// The quantile where it is at most 1/2.
double lower_quantile(double probability, double a, double b) {
  double low = std::log(1e-300);
  double high = std::log(0.5);
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (lower_probability(std::exp(middle), a, b) < probability ? low : high) = middle;
  }
  double x = std::exp((low + high) / 2);
  for (int i = 0; i < 2; ++i) {
    const double density = std::exp(log_weight(x, a, b)) / (x * (1 - x));
    x = std::min(0.5, x - (lower_probability(x, a, b) - probability) / density);
  }
  return x;
}

}  // namespace

double beta_quantile(double probability, double a, double b) {
  if (probability <= 0) return 0;
  if (probability >= 1) return 1;
  // The half in which the quantile lies is worked out from its own end, where nothing cancels.
  if (probability <= lower_probability(0.5, a, b)) return lower_quantile(probability, a, b);
  return 1 - lower_quantile(1 - probability, b, a);
}

}  // namespace fjord::schedulers
