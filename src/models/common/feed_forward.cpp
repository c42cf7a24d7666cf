#include "models/common/feed_forward.h"

#include <ATen/ops/gelu.h>

namespace fjord::models {

FeedForward::FeedForward(const nn::Place& place, std::int64_t dim)
    : Module(place), net_0_proj(child("net.0.proj"), dim, 8 * dim), net_2(child("net.2"), 4 * dim, dim) {}

at::Tensor FeedForward::forward(const at::Tensor& x) const {
  const auto halves = net_0_proj.forward(x).chunk(2, -1);
  return net_2.forward(halves[0] * at::gelu(halves[1]));
}

}  // namespace fjord::models
