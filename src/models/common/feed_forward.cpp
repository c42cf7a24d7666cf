#include "models/common/feed_forward.h"

namespace fjord::models {

FeedForward::FeedForward(const nn::Place& place, std::int64_t dim)
    : Module(place), net_0_proj(child("net.0.proj"), dim, 4 * dim), net_2(child("net.2"), 4 * dim, dim) {}

at::Tensor FeedForward::forward(const at::Tensor& x, const at::Tensor& residual) const {
  return net_2.forward(net_0_proj.forward(x), {.residual = residual});
}

}  // namespace fjord::models
