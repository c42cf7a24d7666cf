// Low-rank changes of a layer (LoRA, arXiv:2106.09685), added to what the layer gives: its weights stay untouched, so
// that requests with different changes can share them.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

namespace fjord::nn {

class Linear;
class Conv2d;

// scale * up(down(x)) for a linear layer.
struct LowRankLinear {
  std::shared_ptr<const Linear> down;  // in_features -> rank
  std::shared_ptr<const Linear> up;    // rank -> out_features, twice as many for a GatedLinear
  double scale = 1.0;
};

// scale * up(mid(down(x))) for a convolution. One of `down` and `mid` has the layer's kernel, stride and padding.
struct LowRankConv2d {
  std::shared_ptr<const Conv2d> down;  // in_channels -> rank
  std::shared_ptr<const Conv2d> mid;   // rank -> rank; may be null
  std::shared_ptr<const Conv2d> up;    // rank -> out_channels, 1x1
  double scale = 1.0;
};

// The sum of all changes and of `sum`, which may be undefined; undefined if there is nothing to sum. x is the layer's
// input.
at::Tensor add_changes(const std::vector<LowRankLinear>& changes, const at::Tensor& x, at::Tensor sum = {});
at::Tensor add_changes(const std::vector<LowRankConv2d>& changes, const at::Tensor& x, at::Tensor sum = {});

}  // namespace fjord::nn
