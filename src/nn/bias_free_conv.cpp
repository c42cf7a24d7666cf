#include "nn/bias_free_conv.h"

#include "ops/onednn.h"

#include <ATen/ops/conv2d.h>

namespace fjord::nn {

BiasFreeConv2d::BiasFreeConv2d(const Place& place, std::int64_t in_channels, std::int64_t out_channels,
                               Conv2dOptions options)
    : Module(place), options_(options) {
  parameter(weight, "weight", {out_channels, in_channels, options.kernel, options.kernel});
}

void BiasFreeConv2d::pack_weights() {
  make_plain();
  if (dtype() != at::kFloat && dtype() != at::kBFloat16) return;
  packed_ = ops::pack_convolution(weight, {options_.stride, options_.padding});
  if (packed_.defined()) weight.reset();
}

at::Tensor BiasFreeConv2d::forward(const at::Tensor& x) const {
  if (!packed_.defined()) return at::conv2d(x, weight, {}, options_.stride, options_.padding);
  return ops::packed_convolution(x.contiguous(at::MemoryFormat::ChannelsLast), packed_, {},
                                 {options_.stride, options_.padding});
}

}  // namespace fjord::nn
