// The layers with weights. Shapes and names are those of torch.nn; parameters are born empty (see module.h).
#pragma once

#include "nn/activation.h"
#include "nn/low_rank.h"
#include "nn/module.h"
#include "ops/linear.h"
#include "ops/winograd.h"

#include <cstdint>
#include <optional>

namespace fjord::nn {

// What may happen to a linear layer's result, in this order.
struct LinearExtras {
  std::optional<Activation> activation = {};
  at::Tensor residual = {};  // added, shaped as the result
};

// y = x W^T + b over the last dimension: [..., in_features] -> [..., out_features].
class Linear : public Module {
 public:
  Linear(const Place& place, std::int64_t in_features, std::int64_t out_features, bool with_bias = true);
  at::Tensor forward(const at::Tensor& x, const LinearExtras& extras = {}) const;
  bool packs_weight() const override { return true; }

  at::Tensor weight;                   // [out_features, in_features]
  at::Tensor bias;                     // [out_features]; undefined without bias
  std::vector<LowRankLinear> changes;  // added to x W^T + b

 private:
  void pack_weights() override;
  void share_packed(const Module& other) override;
  at::Tensor run_on_cuda(const CudaOps& cuda, const at::Tensor& x, const LinearExtras& extras) const;

  ops::PackedLinear packed_;
};

// GEGLU, arXiv:2002.05202: the first half of x W^T + b times the exact GELU of the second.
// [..., in_features] -> [..., out_features]; weight and bias have 2 * out_features rows.
class GatedLinear : public Module {
 public:
  GatedLinear(const Place& place, std::int64_t in_features, std::int64_t out_features);
  at::Tensor forward(const at::Tensor& x) const;
  bool packs_weight() const override { return true; }

  at::Tensor weight;                   // [2 * out_features, in_features]
  at::Tensor bias;                     // [2 * out_features]
  std::vector<LowRankLinear> changes;  // added to x W^T + b

 private:
  void pack_weights() override;
  void share_packed(const Module& other) override;
  at::Tensor before_gate(const at::Tensor& x) const;

  ops::PackedLinear packed_;
};

struct Conv2dOptions {
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
};

// 2-d convolution with bias: [batch, in_channels, height, width] -> [batch, out_channels, height', width'].
// Packed: 1x1 as a linear layer, 3x3 with stride and padding 1 by Winograd, others by oneDNN; all channels last.
class Conv2d : public Module {
 public:
  Conv2d(const Place& place, std::int64_t in_channels, std::int64_t out_channels, Conv2dOptions options);
  at::Tensor forward(const at::Tensor& x, const ops::ConvExtras& extras = {}) const;
  bool packs_weight() const override { return true; }

  at::Tensor weight;                   // [out_channels, in_channels, kernel, kernel]
  at::Tensor bias;                     // [out_channels]
  std::vector<LowRankConv2d> changes;  // added to the result

  const Conv2dOptions& shape() const { return options_; }
  // For a 3x3 convolution of doubled maps (enlarge_to) on a GPU: keeps the weight folded as well (ops/doubling.h). Once
  // its weights have been read.
  void fold_doubling();

 private:
  enum class Way { kPlain, kLinear, kWinograd, kOneDnn };

  Way best_way() const;
  void pack_weights() override;
  void share_packed(const Module& other) override;
  at::Tensor run(const at::Tensor& x, const ops::ConvExtras& extras) const;
  at::Tensor convolve(const at::Tensor& x) const;
  at::Tensor mix_channels(const at::Tensor& x, const at::Tensor& residual) const;  // 1x1
  at::Tensor run_on_cuda(const CudaOps& cuda, const at::Tensor& x, const ops::ConvExtras& extras) const;
  at::Tensor convolve_on_cuda(const CudaOps& cuda, const at::Tensor& x, const at::Tensor& own_bias,
                              const at::Tensor& residual) const;
  at::Tensor convolve_doubled(const CudaOps& cuda, const at::Tensor& x, const at::Tensor& own_bias) const;

  Conv2dOptions options_;
  std::int64_t in_channels_;
  Way way_ = Way::kPlain;
  at::Tensor packed_;
  ops::PackedLinear packed_linear_;
  ops::PackedWinograd packed_winograd_;
  at::Tensor folded_;       // by fold_doubling(), else undefined
  at::Tensor folded_from_;  // the weight that it was folded from
};

// Normalises each of `groups` groups of channels over its channels and pixels, then applies the activation, if any.
// [batch, channels, ...], any rank >= 3.
class GroupNorm : public Module {
 public:
  GroupNorm(const Place& place, std::int64_t groups, std::int64_t channels, double eps);
  at::Tensor forward(const at::Tensor& x, std::optional<Activation> activation = {}) const;
  // Likewise; the result takes the memory of x if nobody else holds it.
  at::Tensor forward(at::Tensor&& x, std::optional<Activation> activation = {}) const;

  at::Tensor weight;  // [channels]
  at::Tensor bias;    // [channels]

 private:
  void pack_weights() override;
  at::Tensor normalise(const at::Tensor& x, std::optional<Activation> activation, bool in_place) const;

  std::int64_t groups_;
  double eps_;
};

// Normalises the last dimension.
class LayerNorm : public Module {
 public:
  LayerNorm(const Place& place, std::int64_t features, double eps = 1e-5);
  at::Tensor forward(const at::Tensor& x) const;

  at::Tensor weight;  // [features]
  at::Tensor bias;    // [features]

 private:
  void pack_weights() override;

  double eps_;
};

// Rows of a table by integer index: int64 [...] -> [..., features].
class Embedding : public Module {
 public:
  Embedding(const Place& place, std::int64_t rows, std::int64_t features);
  at::Tensor forward(const at::Tensor& ids) const;

  at::Tensor weight;      // [rows, features]
  at::Tensor added_rows;  // [n, features], the rows after those of the table; undefined without
};

}  // namespace fjord::nn
