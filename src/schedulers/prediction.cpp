// The order of the operations is the reference's, so that low precision rounds alike.
#include "schedulers/prediction.h"

#include "core/check.h"
#include "schedulers/choice.h"

#include <cmath>

namespace fjord::schedulers {

PredictionType prediction_type(const config::Scheduler& config) {
  return choose<PredictionType>("prediction_type", config.prediction_type, "epsilon",
                                {{"epsilon", PredictionType::kEpsilon},
                                 {"v_prediction", PredictionType::kVelocity},
                                 {"sample", PredictionType::kSample}});
}

NoiseLevel level_of_alpha_bar(double alpha_bar) { return {std::sqrt(alpha_bar), std::sqrt(1 - alpha_bar)}; }

NoiseLevel level_of_ratio(double ratio) {
  const double alpha = 1 / std::sqrt(ratio * ratio + 1);
  return {alpha, ratio * alpha};
}

at::Tensor to_clean(PredictionType type, const at::Tensor& prediction, const at::Tensor& sample, NoiseLevel level) {
  switch (type) {
    case PredictionType::kEpsilon: return (sample - prediction * level.sigma) / level.alpha;
    case PredictionType::kVelocity: return sample * level.alpha - prediction * level.sigma;
    case PredictionType::kSample: break;
  }
  return prediction;
}

at::Tensor to_noise(PredictionType type, const at::Tensor& prediction, const at::Tensor& sample, NoiseLevel level) {
  switch (type) {
    case PredictionType::kEpsilon: return prediction;
    case PredictionType::kVelocity: return prediction * level.alpha + sample * level.sigma;
    case PredictionType::kSample: break;
  }
  return (sample - prediction * level.alpha) / level.sigma;
}

at::Tensor to_clean_exploding(PredictionType type, const at::Tensor& prediction, const at::Tensor& sample, double sigma,
                              double predicted_sigma) {
  const double variance = predicted_sigma * predicted_sigma + 1;
  switch (type) {
    case PredictionType::kEpsilon: return sample - prediction * sigma;
    case PredictionType::kVelocity: return prediction * (-predicted_sigma / std::sqrt(variance)) + sample / variance;
    case PredictionType::kSample: break;
  }
  return prediction;
}

void check_signal(double first_alpha_bar, PredictionType type, bool limited) {
  check(first_alpha_bar > 0 || type != PredictionType::kEpsilon || limited, ErrorCode::kInvalidArgument,
        "prediction_type epsilon cannot start at a timestep without signal (zero terminal SNR); expected v_prediction "
        "or sample, or a timestep_spacing that begins lower");
}

at::Tensor mix_noise(const at::Tensor& clean, const at::Tensor& noise, NoiseLevel level) {
  return clean * level.alpha + noise.to(clean.scalar_type()) * level.sigma;
}

SplitPrediction split_prediction(const at::Tensor& prediction, const at::Tensor& sample, bool learned_variance) {
  check(sample.dim() >= 2 && sample.is_floating_point(), ErrorCode::kInvalidArgument,
        "expected a floating-point sample [batch, channels, height, width], got ", sample.sizes());
  const std::int64_t channels = sample.size(1);
  const at::Tensor cast = prediction.to(sample.scalar_type());
  auto doubled = sample.sizes().vec();
  doubled[1] = 2 * channels;
  if (learned_variance && cast.sizes() == at::IntArrayRef(doubled)) {
    return {cast.narrow(1, 0, channels), cast.narrow(1, channels, channels)};
  }
  check(cast.sizes() == sample.sizes(), ErrorCode::kInvalidArgument, "expected a prediction of shape ", sample.sizes(),
        ", as the sample, got ", cast.sizes());
  return {cast, {}};
}

}  // namespace fjord::schedulers
