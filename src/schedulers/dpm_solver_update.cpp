// DPM-Solver, Lu et al. 2022, arXiv:2206.00927, and DPM-Solver++, arXiv:2211.01095.
//   s, t            the update's start (noisier) and end
//   alpha, sigma    factors of clean sample and noise at a level; ratio = sigma / alpha
//   lambda          log(alpha / sigma);  h = lambda_t - lambda_s > 0
// data prediction   x_t = (sigma_t / sigma_s) x_s + alpha_t (1 - e^-h) D0 + ...            arXiv:2211.01095, eq. 8, 9
// noise prediction  x_t = (alpha_t / alpha_s) x_s - sigma_t (e^h - 1) D0 - ...             arXiv:2206.00927, eq. 3.7
// The SDE solvers of arXiv:2211.01095 have 2h in place of h for data prediction, twice the weights for noise
// prediction, and draw noise of variance sigma_t^2 (1 - e^-2h), or sigma_t^2 (e^2h - 1).
#include "schedulers/dpm_solver_update.h"

#include "core/check.h"
#include "schedulers/choice.h"

#include <cmath>

namespace fjord::schedulers {
namespace {

DpmWeights data_weights(bool stochastic, NoiseLevel s, NoiseLevel t, double h) {
  const double k = stochastic ? 2 * h : h;
  const double decay = std::expm1(-k);  // e^-k - 1; -1 where the step ends without noise
  DpmWeights weights;
  weights.sample = t.sigma / s.sigma * (stochastic ? std::exp(-h) : 1.0);
  weights.d0 = -t.alpha * decay;
  weights.d1_midpoint = 0.5 * weights.d0;
  weights.d1_heun = t.alpha * (decay / k + 1);
  const double second = (decay + k) / (k * k);
  // Of the SDE weight the reference takes the half with the other sign; the same picture needs the same sign.
  weights.d2 = stochastic ? t.alpha * (-second - 0.5) : -t.alpha * (second - 0.5);
  weights.noise = stochastic ? t.sigma * std::sqrt(-decay) : 0.0;
  return weights;
}

DpmWeights noise_weights(bool stochastic, NoiseLevel s, NoiseLevel t, double h) {
  const double times = stochastic ? 2 : 1;
  const double growth = std::expm1(h);
  DpmWeights weights;
  weights.sample = t.alpha / s.alpha;
  weights.d0 = -times * t.sigma * growth;
  weights.d1_midpoint = 0.5 * weights.d0;
  weights.d1_heun = -times * t.sigma * (growth / h - 1);
  weights.d2 = -t.sigma * ((growth - h) / (h * h) - 0.5);  // no third-order SDE solver exists
  weights.noise = stochastic ? t.sigma * std::sqrt(std::expm1(2 * h)) : 0.0;
  return weights;
}

}  // namespace

DpmAlgorithm dpm_algorithm(const config::Scheduler& config) {
  DpmAlgorithm algorithm = choose<DpmAlgorithm>("algorithm_type", config.algorithm_type, "dpmsolver++",
                                                {{"dpmsolver++", {true, false}},
                                                 {"sde-dpmsolver++", {true, true}},
                                                 {"dpmsolver", {false, false}},
                                                 {"sde-dpmsolver", {false, true}},
                                                 {"deis", {true, false}}});
  algorithm.heun =
      choose<bool>("solver_type", config.solver_type, "midpoint",
                   {{"midpoint", false}, {"heun", true}, {"logrho", false}, {"bh1", false}, {"bh2", false}});
  return algorithm;
}

DpmWeights dpm_weights(const DpmAlgorithm& algorithm, double ratio_s, double ratio_t) {
  const NoiseLevel s = level_of_ratio(ratio_s);
  const NoiseLevel t = level_of_ratio(ratio_t);
  const double h = lambda_of_ratio(ratio_t) - lambda_of_ratio(ratio_s);
  return algorithm.data_prediction ? data_weights(algorithm.stochastic, s, t, h)
                                   : noise_weights(algorithm.stochastic, s, t, h);
}

double lambda_of_ratio(double ratio) { return -std::log(ratio); }

}  // namespace fjord::schedulers
