#include "models/common/text_maps.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/upsample_bicubic2d.h>

namespace fjord::models {

void TextMaps::add(const at::Tensor& weights) {
  auto map = at::upsample_bicubic2d(weights.to(at::kFloat).contiguous(), {height_, width_}, /*align_corners=*/false)
                 .clamp_min(0);
  sum_ = sum_.defined() ? sum_ + map : map;
  ++count_;
}

at::Tensor TextMaps::mean() const { return count_ == 0 ? at::Tensor() : sum_ / static_cast<double>(count_); }

}  // namespace fjord::models
