#include "models/common/feed_forward.h"

#include "ops/cpu_tensors.h"
#include "ops/norm.h"

#include <ATen/ops/gelu.h>

namespace fjord::models {

FeedForward::FeedForward(const nn::Place& place, std::int64_t dim)
    : Module(place), net_0_proj(child("net.0.proj"), dim, 8 * dim), net_2(child("net.2"), 4 * dim, dim) {}

at::Tensor FeedForward::forward(const at::Tensor& x, const at::Tensor& residual) const {
  const auto wide = net_0_proj.forward(x);
  if (kernels() != nullptr && ops::fits_kernels(wide)) return net_2.forward(ops::geglu(wide, *kernels()), residual);
  const auto halves = wide.chunk(2, -1);
  return net_2.forward(halves[0] * at::gelu(halves[1]), residual);
}

}  // namespace fjord::models
