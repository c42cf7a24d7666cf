// The noise levels that the network was trained on, as ratios of noise to signal.
//   sigma_t   sqrt((1 - alpha_bar_t) / alpha_bar_t), "sigmas" in diffusers           arXiv:2206.00364, appendix C.3
#pragma once

#include "config/scheduler.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace fjord::schedulers {

// A number rounded to float32, which is what the reference keeps its tables in.
inline double as_float(double value) { return static_cast<double>(static_cast<float>(value)); }

class TrainingLevels {
 public:
  // `zero_snr`: rescales the betas to zero terminal signal; the smallest float16, 2^-24, then stands for a signal of 0,
  // because an infinite sigma could not be stepped from. Throws as alphas_cumprod does, and kInvalidArgument where the
  // first timestep has no noise or the last no signal.
  TrainingLevels(const config::Scheduler& config, bool zero_snr);

  std::int64_t count() const { return static_cast<std::int64_t>(sigmas_.size()); }
  double lowest() const { return sigmas_.front(); }
  double highest() const { return sigmas_.back(); }
  const at::Tensor& alphas_cumprod() const { return alphas_cumprod_; }  // float32, as the table of noise_schedule.h

  // sigma at a timestep, whole or fractional, linearly interpolated: numpy.interp.
  double sigma_at(double timestep) const;
  // In what the reference computes a timestep.
  enum class Arithmetic { kDouble, kFloatWeight, kFloat };
  // The fractional timestep at which the levels reach sigma, linearly interpolated in log sigma; 0 to count() - 1.
  double timestep_of(double sigma, Arithmetic arithmetic = Arithmetic::kDouble) const;

 private:
  at::Tensor alphas_cumprod_;
  std::vector<double> sigmas_;      // float32 values, rising
  std::vector<double> log_sigmas_;  // float32 values
};

}  // namespace fjord::schedulers
