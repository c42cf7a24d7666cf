#include "nn/low_rank.h"

#include "nn/layers.h"

namespace fjord::nn {

at::Tensor add_changes(const std::vector<LowRankLinear>& changes, const at::Tensor& x, at::Tensor sum) {
  for (const auto& change : changes) {
    sum = change.up->forward(change.down->forward(x) * change.scale, {.residual = sum});
  }
  return sum;
}

at::Tensor add_changes(const std::vector<LowRankConv2d>& changes, const at::Tensor& x, at::Tensor sum) {
  for (const auto& change : changes) {
    auto hidden = change.down->forward(x);
    if (change.mid) hidden = change.mid->forward(hidden);
    sum = change.up->forward(hidden * change.scale, {.residual = sum});
  }
  return sum;
}

}  // namespace fjord::nn
