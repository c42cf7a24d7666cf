#include "nn/layers.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>

namespace fjord::nn {

Linear::Linear(const Place& place, std::int64_t in_features, std::int64_t out_features, bool with_bias)
    : Module(place) {
  parameter(weight, "weight", {out_features, in_features});
  if (with_bias) parameter(bias, "bias", {out_features});
}

at::Tensor Linear::forward(const at::Tensor& x) const { return at::linear(x, weight, bias); }

Conv2d::Conv2d(const Place& place, std::int64_t in_channels, std::int64_t out_channels, Conv2dOptions options)
    : Module(place), options_(options) {
  parameter(weight, "weight", {out_channels, in_channels, options.kernel, options.kernel});
  parameter(bias, "bias", {out_channels});
}

at::Tensor Conv2d::forward(const at::Tensor& x) const {
  return at::conv2d(x, weight, bias, options_.stride, options_.padding);
}

GroupNorm::GroupNorm(const Place& place, std::int64_t groups, std::int64_t channels, double eps)
    : Module(place), groups_(groups), eps_(eps) {
  parameter(weight, "weight", {channels});
  parameter(bias, "bias", {channels});
}

at::Tensor GroupNorm::forward(const at::Tensor& x) const { return at::group_norm(x, groups_, weight, bias, eps_); }

LayerNorm::LayerNorm(const Place& place, std::int64_t features, double eps) : Module(place), eps_(eps) {
  parameter(weight, "weight", {features});
  parameter(bias, "bias", {features});
}

at::Tensor LayerNorm::forward(const at::Tensor& x) const {
  return at::layer_norm(x, {weight.size(0)}, weight, bias, eps_);
}

Embedding::Embedding(const Place& place, std::int64_t rows, std::int64_t features) : Module(place) {
  parameter(weight, "weight", {rows, features});
}

at::Tensor Embedding::forward(const at::Tensor& ids) const { return at::embedding(weight, ids); }

}  // namespace fjord::nn
