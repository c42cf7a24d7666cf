#include "pipeline/guidance.h"

#include <ATen/ops/clamp.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/quantile.h>
#include <ATen/ops/std.h>

#include <algorithm>
#include <cmath>

namespace fjord::pipeline {
namespace {

at::Tensor deviation(const at::Tensor& x) {
  return x.std(at::IntArrayRef{1, 2, 3}, /*unbiased=*/true, /*keepdim=*/true);
}

// Dynamic thresholding (Imagen, arXiv:2205.11487, section 2.3) between two guided predictions, by channel, around the
// channel's mean. As proposed by the extension "Dynamic Thresholding (CFG Scale Fix)" for latents:
//   r   the largest |value - mean| of the mimicked prediction
//   s   the given quantile of |value - mean| of the guided one, at least r
//   result = mean + clamp(value - mean, -s, s) r / s
at::Tensor thresholded(const at::Tensor& guided, const at::Tensor& mimicked, double percentile) {
  const at::Tensor wide = guided.to(at::kFloat).flatten(2);
  const at::Tensor other = mimicked.to(at::kFloat).flatten(2);
  const at::Tensor mean = wide.mean(2, /*keepdim=*/true);
  const at::Tensor centred = wide - mean;
  const at::Tensor range = (other - other.mean(2, /*keepdim=*/true)).abs().amax(2, /*keepdim=*/true);
  const at::Tensor limit = at::maximum(at::quantile(centred.abs(), percentile, 2, /*keepdim=*/true), range);
  // A channel without any range stays as it is.
  const at::Tensor factor = (range / limit).nan_to_num(1.0);
  const at::Tensor result = at::clamp(centred, -limit, limit) * factor + mean;
  return result.reshape(guided.sizes()).to(guided.scalar_type());
}

}  // namespace

at::Tensor guide(const at::Tensor& without_prompt, const at::Tensor& with_prompt, double scale,
                 const Guidance& options) {
  const auto difference = with_prompt - without_prompt;
  const auto guided = without_prompt + scale * difference;
  if (options.mimic_scale <= 0) return guided;
  return thresholded(guided, without_prompt + options.mimic_scale * difference, options.mimic_percentile);
}

at::Tensor rescaled(const at::Tensor& guided, const at::Tensor& with_prompt, double rescale) {
  if (rescale == 0) return guided;
  const auto narrowed = guided * (deviation(with_prompt) / deviation(guided));
  return rescale * narrowed + (1 - rescale) * guided;
}

at::Tensor guide_by_image(const at::Tensor& without, const at::Tensor& with_image, const at::Tensor& with_both,
                          double text_scale, double image_scale) {
  return without + text_scale * (with_both - with_image) + image_scale * (with_image - without);
}

double perturbed_scale_at(const Guidance& options, double timestep) {
  constexpr double kNoisiest = 1000;
  return std::max(0.0, options.perturbed_scale - options.perturbed_adaptive_scale * (kNoisiest - timestep));
}

std::vector<double> guidance_scales(const Guidance& options, double scale, size_t steps) {
  const auto& points = options.schedule;
  if (points.empty()) return std::vector<double>(steps, scale);
  std::vector<double> scales;
  for (size_t i = 0; i < steps; ++i) {
    const double place =
        steps < 2 ? 0.0 : static_cast<double>(i * (points.size() - 1)) / static_cast<double>(steps - 1);
    const auto low = static_cast<size_t>(place);
    const size_t high = std::min(low + 1, points.size() - 1);
    scales.push_back(points[low] + (place - std::floor(place)) * (points[high] - points[low]));
  }
  return scales;
}

}  // namespace fjord::pipeline
