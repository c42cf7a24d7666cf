// What a network predicts, and how one prediction is turned into another. The only place that knows.
//   x_t = alpha x_0 + sigma eps       a noisy sample                              DDPM, arXiv:2006.11239, eq. 4
//   v   = alpha eps - sigma x_0       "velocity", with alpha^2 + sigma^2 = 1      arXiv:2202.00512, appendix D
#pragma once

#include "config/scheduler.h"

#include <ATen/core/Tensor.h>

namespace fjord::schedulers {

enum class PredictionType { kEpsilon, kVelocity, kSample };

// Throws kUnsupported, naming it, for a prediction_type that fjord does not know.
PredictionType prediction_type(const config::Scheduler& config);

struct NoiseLevel {
  double alpha = 1;  // factor of the clean sample
  double sigma = 0;  // factor of the noise
};

// The level at which the signal's variance is `alpha_bar`: sqrt(alpha_bar), sqrt(1 - alpha_bar).
NoiseLevel level_of_alpha_bar(double alpha_bar);
// The level at which noise and signal stand in the ratio `ratio`, computed without cancellation.
NoiseLevel level_of_ratio(double ratio);

// x_0 and eps from a prediction at x_t = `sample`. All tensors [batch, channels, ...] of one dtype.
at::Tensor to_clean(PredictionType type, const at::Tensor& prediction, const at::Tensor& sample, NoiseLevel level);
at::Tensor to_noise(PredictionType type, const at::Tensor& prediction, const at::Tensor& sample, NoiseLevel level);

// x_0 from a prediction at a sample whose signal is not scaled down, x = x_0 + sigma eps: that of NoiseLevel divided by
// alpha ("variance exploding", arXiv:2206.00364). `predicted_sigma` is the level that a velocity was predicted at; it
// differs from sigma where noise was added in between, which the reference follows for a predicted eps only.
at::Tensor to_clean_exploding(PredictionType type, const at::Tensor& prediction, const at::Tensor& sample, double sigma,
                              double predicted_sigma);

// Throws kInvalidArgument where a prediction of the noise cannot be turned into a clean sample because nothing of it is
// left at the first timestep (alpha_bar = 0). A `limited` clean sample survives the division by 0.
void check_signal(double first_alpha_bar, PredictionType type, bool limited);

// `clean` with noise of level `level`, in the dtype of `clean`.
at::Tensor mix_noise(const at::Tensor& clean, const at::Tensor& noise, NoiseLevel level);

// A network's output, split where it also predicts a variance.
struct SplitPrediction {
  at::Tensor mean;      // [batch, channels, ...] in the dtype of the sample
  at::Tensor variance;  // likewise, or undefined
};

// Throws kInvalidArgument unless `prediction` has the shape of `sample`, or twice its channels where
// `learned_variance` holds.
SplitPrediction split_prediction(const at::Tensor& prediction, const at::Tensor& sample, bool learned_variance);

}  // namespace fjord::schedulers
