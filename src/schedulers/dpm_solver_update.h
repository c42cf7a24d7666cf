// One exponential-integrator update of the DPM-Solver family, shared by its multistep and singlestep schedulers.
//   DPM-Solver      arXiv:2206.00927 (integrates the noise prediction)
//   DPM-Solver++    arXiv:2211.01095 (integrates the data prediction; also SDE-DPM-Solver and SDE-DPM-Solver++)
#pragma once

#include "config/scheduler.h"
#include "schedulers/prediction.h"

#include <ATen/core/Tensor.h>

namespace fjord::schedulers {

struct DpmAlgorithm {
  bool data_prediction = true;  // ++: integrates x_0 instead of eps
  bool stochastic = false;      // sde-: adds fresh noise at every step
  bool heun = false;            // solver_type heun, else midpoint
};

// algorithm_type and solver_type. As in diffusers, the words of related schedulers are taken for their nearest kin:
// deis for dpmsolver++; logrho, bh1 and bh2 for midpoint. Throws kUnsupported, naming it, for another word.
DpmAlgorithm dpm_algorithm(const config::Scheduler& config);

// The weights of an update from level s to level t (noise-to-signal ratios ratio_s > ratio_t >= 0):
//   x_t = sample x_s + d0 D0 + [d1_midpoint | d1_heun] D1 + d2 D2 + noise z
// D0 is the prediction at s, D1 and D2 its first and second derivative in units of h, h^2.
struct DpmWeights {
  double sample = 0;
  double d0 = 0;
  double d1_midpoint = 0;
  double d1_heun = 0;
  double d2 = 0;
  double noise = 0;

  double d1(const DpmAlgorithm& algorithm) const { return algorithm.heun ? d1_heun : d1_midpoint; }
};
DpmWeights dpm_weights(const DpmAlgorithm& algorithm, double ratio_s, double ratio_t);

// lambda = log(alpha / sigma), half the log signal-to-noise ratio: the time in which the solver is exact.
double lambda_of_ratio(double ratio);

}  // namespace fjord::schedulers
