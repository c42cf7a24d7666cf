// The transformer block's MLP with a gated GELU (GEGLU, arXiv:2002.05202). Reference: diffusers FeedForward, GEGLU.
#pragma once

#include "nn/layers.h"

namespace fjord::models {

class FeedForward : public nn::Module {
 public:
  FeedForward(const nn::Place& place, std::int64_t dim);
  // [..., dim] -> [..., dim], four times as wide inside; `residual` is added to the result.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual = {}) const;

  nn::GatedLinear net_0_proj;  // "net.0.proj"
  nn::Linear net_2;            // "net.2"
};

}  // namespace fjord::models
