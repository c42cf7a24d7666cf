// Keeping the predicted clean sample in range: clipping, or dynamic thresholding (Imagen, arXiv:2205.11487,
// section 2.3).
//   s    the given quantile of |x_0| in one image, kept between 1 and the configured maximum
//   x_0  clamped to [-s, s] and divided by s
#pragma once

#include "config/scheduler.h"

#include <ATen/core/Tensor.h>

namespace fjord::schedulers {

class CleanLimit {
 public:
  // `clips`: whether the class knows clip_sample at all (DDPM and DDIM do, and clip by default).
  CleanLimit(const config::Scheduler& config, bool clips);

  // The limited clean sample [batch, channels, ...], in its own dtype.
  at::Tensor apply(const at::Tensor& clean) const;
  // Whether apply() changes anything at all.
  bool active() const { return thresholding_ || clip_; }
  bool thresholding() const { return thresholding_; }

 private:
  bool thresholding_;
  double quantile_;
  double max_threshold_;
  bool clip_;
  double clip_range_;
};

}  // namespace fjord::schedulers
