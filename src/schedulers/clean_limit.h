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
  // What the class does with clip_sample: does not know it, clips by default, or clips where asked to.
  enum class Clipping { kUnknown, kByDefault, kOnRequest };
  // `thresholds`: whether the class knows `thresholding`.
  CleanLimit(const config::Scheduler& config, Clipping clipping, bool thresholds = true);

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
