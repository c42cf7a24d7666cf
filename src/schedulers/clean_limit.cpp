// Half precision is thresholded in float32: a quantile of rounded values would be a coarse one.
#include "schedulers/clean_limit.h"

#include <ATen/ops/clamp.h>
#include <ATen/ops/quantile.h>

namespace fjord::schedulers {

CleanLimit::CleanLimit(const config::Scheduler& config, Clipping clipping, bool thresholds)
    : thresholding_(thresholds && config.thresholding.value_or(false)),
      quantile_(config.dynamic_thresholding_ratio.value_or(0.995)),
      max_threshold_(config.sample_max_value.value_or(1.0)),
      clip_(clipping != Clipping::kUnknown && config.clip_sample.value_or(clipping == Clipping::kByDefault)),
      clip_range_(config.clip_sample_range.value_or(1.0)) {}

at::Tensor CleanLimit::apply(const at::Tensor& clean) const {
  if (!thresholding_) return clip_ ? clean.clamp(-clip_range_, clip_range_) : clean;
  const at::ScalarType dtype = clean.scalar_type();
  const bool wide = dtype == at::kFloat || dtype == at::kDouble;
  const at::Tensor rows = (wide ? clean : clean.to(at::kFloat)).flatten(1);  // [batch, all of one image]
  const at::Tensor threshold = at::quantile(rows.abs(), quantile_, 1, /*keepdim=*/true).clamp(1.0, max_threshold_);
  const at::Tensor limited = at::clamp(rows, -threshold, threshold) / threshold;
  return limited.reshape(clean.sizes()).to(dtype);
}

}  // namespace fjord::schedulers
