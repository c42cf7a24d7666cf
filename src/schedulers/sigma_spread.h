// How the noise levels of a run are spread between the noisiest and the cleanest.
//   kKarras        (a + i/(n-1) (b - a))^rho with a, b the rho-th roots of the extremes, rho = 7   arXiv:2206.00364,
//   eq. 5 kExponential   log sigma uniform kBeta          quantiles of Beta(0.6, 0.6), dense at both ends
//   arXiv:2407.12173 kLu            log sigma uniform, between rounded ends arXiv:2206.00927, section 5 kTable a table
//   made for some number of steps, log-linearly interpolated; such are the tables of
//                  "Align Your Steps"                                                               arXiv:2404.14507
#pragma once

#include "config/scheduler.h"

#include <cstdint>
#include <vector>

namespace fjord::schedulers {

enum class SigmaSpread { kTimesteps, kKarras, kExponential, kBeta, kLu, kTable };

// What the configuration asks for; kTimesteps where nothing. `knows_lu`: whether the class reads use_lu_lambdas. Throws
// kInvalidArgument where more than one spread is asked for, or for a sigma_table that does not fall to a level above 0.
SigmaSpread sigma_spread(const config::Scheduler& config, bool knows_lu);

struct SigmaRange {
  double high = 1;  // the noisiest level
  double low = 0;   // the cleanest, above 0
};

// `whole`, or what the configuration has in its place where the class reads sigma_min and sigma_max (`known`). Throws
// kInvalidArgument unless the lower end is below the upper.
SigmaRange sigma_range(const config::Scheduler& config, bool known, SigmaRange whole);

// `steps` levels from range.high to range.low; not for kTimesteps and kTable.
std::vector<double> spread_sigmas(SigmaSpread spread, SigmaRange range, std::int64_t steps);

// The first `steps` of steps + 1 levels from the first to the last entry of `table`: the last is where a run would end
// if it did not end clean.
std::vector<double> interpolated_sigmas(const std::vector<double>& table, std::int64_t steps);

}  // namespace fjord::schedulers
