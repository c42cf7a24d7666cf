// A convolution without bias, of any stride. Those with bias are Conv2d (nn/layers.h).
#pragma once

#include "nn/layers.h"

namespace fjord::nn {

// [batch, in_channels, height, width] -> [batch, out_channels, height', width']; packed by oneDNN, channels last.
class BiasFreeConv2d : public Module {
 public:
  BiasFreeConv2d(const Place& place, std::int64_t in_channels, std::int64_t out_channels, Conv2dOptions options);
  at::Tensor forward(const at::Tensor& x) const;

  at::Tensor weight;  // [out_channels, in_channels, kernel, kernel]

 private:
  void pack_weights() override;

  Conv2dOptions options_;
  at::Tensor packed_;
};

}  // namespace fjord::nn
