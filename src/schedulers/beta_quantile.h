// The inverse of the beta distribution's cumulative probability.
#pragma once

namespace fjord::schedulers {

// The x in [0, 1] at which Beta(a, b) has the cumulative probability `probability` (0..1); a, b > 0. Accurate to about
// 1e-14 relative to the nearer end of the interval. Reference: scipy.stats.beta.ppf.
double beta_quantile(double probability, double a, double b);

}  // namespace fjord::schedulers
