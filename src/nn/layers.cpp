#include "nn/layers.h"

#include "core/checkpoint.h"
#include "core/cuda_plugin.h"
#include "ops/cpu_tensors.h"
#include "ops/doubling.h"
#include "ops/norm.h"
#include "ops/onednn.h"
#include "ops/wrap.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/where.h>

#include <utility>

namespace fjord::nn {
namespace {

void to_float32(at::Tensor& bias) {
  if (bias.defined()) bias = bias.to(at::kFloat);
}

at::Tensor enlarged(const at::Tensor& x, const ops::ConvExtras& extras) {
  return extras.enlarge_to ? at::upsample_nearest2d(x, *extras.enlarge_to) : x;
}

}  // namespace

Linear::Linear(const Place& place, std::int64_t in_features, std::int64_t out_features, bool with_bias)
    : Module(place) {
  parameter(weight, "weight", {out_features, in_features});
  if (with_bias) parameter(bias, "bias", {out_features});
}

void Linear::pack_weights() {
  packed_ = ops::pack_linear(stored(weight), /*gated=*/false, dtype(), *kernels());
  if (!packed_.defined()) return make_plain();
  weight.reset();
  to_float32(bias);
}

void Linear::share_packed(const Module& other) { packed_ = static_cast<const Linear&>(other).packed_; }

at::Tensor Linear::forward(const at::Tensor& x, const LinearExtras& extras) const {
  pass_checkpoint(this);
  const auto fused = extras.activation ? kernel_activation(*extras.activation) : kernels::Activation::kNone;
  const bool fuses = !extras.activation || (changes.empty() && fused != kernels::Activation::kNone);
  if (packed_.defined() && fuses) {
    return ops::linear(x, packed_, bias, {add_changes(changes, x, extras.residual), fused}, *kernels());
  }
  const auto* cuda = packed_.defined() ? nullptr : product_ops(x);
  if (cuda != nullptr) return run_on_cuda(*cuda, x, extras);
  const bool packed = packed_.defined();
  auto y = add_changes(changes, x,
                       packed ? ops::linear(x, packed_, bias, {}, *kernels()) : at::linear(x, at_hand(weight), bias));
  if (extras.activation) y = activate(*extras.activation, y);
  return extras.residual.defined() ? extras.residual + y : y;
}

at::Tensor Linear::run_on_cuda(const CudaOps& cuda, const at::Tensor& x, const LinearExtras& extras) const {
  const auto residual = extras.activation ? at::Tensor() : extras.residual;
  const auto y = cuda.linear(x, at_hand(weight), bias, product_sum(add_changes(changes, x, residual)));
  if (!extras.activation) return y;
  const auto active = activate(*extras.activation, y);
  return extras.residual.defined() ? extras.residual + active : active;
}

GatedLinear::GatedLinear(const Place& place, std::int64_t in_features, std::int64_t out_features) : Module(place) {
  parameter(weight, "weight", {2 * out_features, in_features});
  parameter(bias, "bias", {2 * out_features});
}

void GatedLinear::pack_weights() {
  packed_ = ops::pack_linear(stored(weight), /*gated=*/true, dtype(), *kernels());
  if (!packed_.defined()) return make_plain();
  weight.reset();
  to_float32(bias);
}

void GatedLinear::share_packed(const Module& other) { packed_ = static_cast<const GatedLinear&>(other).packed_; }

at::Tensor GatedLinear::forward(const at::Tensor& x) const {
  pass_checkpoint(this);
  if (packed_.defined() && changes.empty()) return ops::linear(x, packed_, bias, {}, *kernels());
  const auto both = before_gate(x);
  if (const auto* cuda = cuda_ops(both)) return cuda->gated_gelu(both);
  const auto halves = both.chunk(2, -1);
  return halves[0] * at::gelu(halves[1]);
}

at::Tensor GatedLinear::before_gate(const at::Tensor& x) const {
  if (packed_.defined()) return add_changes(changes, x, ops::linear_before_gate(x, packed_, bias, *kernels()));
  if (const auto* cuda = product_ops(x))
    return cuda->linear(x, at_hand(weight), bias, product_sum(add_changes(changes, x)));
  return add_changes(changes, x, at::linear(x, at_hand(weight), bias));
}

Conv2d::Conv2d(const Place& place, std::int64_t in_channels, std::int64_t out_channels, Conv2dOptions options)
    : Module(place), options_(options), in_channels_(in_channels) {
  parameter(weight, "weight", {out_channels, in_channels, options.kernel, options.kernel});
  parameter(bias, "bias", {out_channels});
}

Conv2d::Way Conv2d::best_way() const {
  const auto& [kernel, stride, padding] = options_;
  if (stride != 1) return Way::kOneDnn;
  if (kernel == 1 && padding == 0) return Way::kLinear;
  const bool is_winograd = kernel == 3 && padding == 1 && ops::winograd_pays(in_channels_, weight.size(0));
  return is_winograd ? Way::kWinograd : Way::kOneDnn;
}

void Conv2d::pack_weights() {
  if (dtype() != at::kFloat && dtype() != at::kBFloat16) return make_plain();
  way_ = best_way();
  if (way_ == Way::kLinear) {
    packed_linear_ = ops::pack_linear(stored(weight.flatten(1)), /*gated=*/false, dtype(), *kernels());
    if (!packed_linear_.defined()) way_ = Way::kOneDnn;
  }
  if (way_ == Way::kWinograd) packed_winograd_ = ops::pack_winograd(stored(weight), dtype(), *kernels());
  if (way_ != Way::kOneDnn) {
    weight.reset();
    return to_float32(bias);
  }
  make_plain();
  packed_ = ops::pack_convolution(weight, {options_.stride, options_.padding});
  if (packed_.defined()) return weight.reset();
  way_ = Way::kPlain;
}

at::Tensor Conv2d::convolve(const at::Tensor& x) const {
  const auto wide = options_.padding;
  const bool wraps = wide > 0 && ops::WrapScope::active().any();
  const auto source = wraps ? ops::padded(x, {wide, wide, wide, wide}) : x;
  const auto padding = wraps ? 0 : wide;
  if (way_ == Way::kPlain) return at::conv2d(source, at_hand(weight), bias, options_.stride, padding);
  return ops::packed_convolution(source.contiguous(at::MemoryFormat::ChannelsLast), packed_, bias,
                                 {options_.stride, padding});
}

at::Tensor Conv2d::mix_channels(const at::Tensor& x, const at::Tensor& residual) const {
  const auto added = residual.defined() ? ops::to_pixels(residual) : at::Tensor();
  const auto y = ops::linear(ops::to_pixels(x), packed_linear_, bias, {.residual = added}, *kernels());
  return ops::to_map(y, {x.size(0), bias.size(0), x.size(2), x.size(3)});
}

void Conv2d::share_packed(const Module& other) {
  const auto& conv = static_cast<const Conv2d&>(other);
  way_ = conv.way_;
  packed_ = conv.packed_;
  packed_linear_ = conv.packed_linear_;
  packed_winograd_ = conv.packed_winograd_;
  folded_ = conv.folded_;
  folded_from_ = conv.folded_from_;
}

at::Tensor Conv2d::forward(const at::Tensor& x, const ops::ConvExtras& extras) const {
  pass_checkpoint(this);
  if (changes.empty()) return run(x, extras);
  auto changed = extras;
  changed.residual = add_changes(changes, enlarged(x, extras), extras.residual);
  return run(x, changed);
}

at::Tensor Conv2d::run(const at::Tensor& x, const ops::ConvExtras& extras) const {
  if (way_ == Way::kWinograd) return ops::winograd(x, packed_winograd_, bias, extras, *kernels());
  const auto* cuda = way_ == Way::kPlain ? cuda_ops(x) : nullptr;
  if (cuda != nullptr) return run_on_cuda(*cuda, x, extras);
  const auto source = enlarged(x, extras);
  if (way_ == Way::kLinear && !extras.image_bias.defined()) return mix_channels(source, extras.residual);
  auto y = way_ == Way::kLinear ? mix_channels(source, {}) : convolve(source);
  if (extras.image_bias.defined()) y = y + extras.image_bias.to(y.scalar_type()).unsqueeze(-1).unsqueeze(-1);
  return extras.residual.defined() ? extras.residual + y : y;
}

void Conv2d::fold_doubling() {
  folded_ = ops::fold_doubling(weight);
  folded_from_ = weight;
}

// An image bias that is the same for the whole batch, as that of a timestep alone is, goes into the bias.
at::Tensor Conv2d::run_on_cuda(const CudaOps& cuda, const at::Tensor& x, const ops::ConvExtras& extras) const {
  const auto& image_bias = extras.image_bias;
  const bool one_row =
      cuda_paths().sums && image_bias.defined() && (image_bias.size(0) == 1 || image_bias.stride(0) == 0);
  const auto own_bias = one_row ? bias + image_bias[0].to(bias.scalar_type()) : bias;
  const auto later = one_row ? at::Tensor() : image_bias;
  const bool doubles = extras.enlarge_to && (*extras.enlarge_to)[0] == 2 * x.size(2) &&
                       (*extras.enlarge_to)[1] == 2 * x.size(3) && folded_.defined() && folded_from_.is_same(weight);
  const bool adds_last = doubles || later.defined();
  auto y = doubles ? convolve_doubled(cuda, x, own_bias)
                   : convolve_on_cuda(cuda, enlarged(x, extras), own_bias, adds_last ? at::Tensor() : extras.residual);
  if (later.defined()) y = y + later.to(y.scalar_type()).unsqueeze(-1).unsqueeze(-1);
  return adds_last && extras.residual.defined() ? extras.residual + y : y;
}

at::Tensor Conv2d::convolve_on_cuda(const CudaOps& cuda, const at::Tensor& x, const at::Tensor& own_bias,
                                    const at::Tensor& residual) const {
  const auto& [kernel, stride, wide] = options_;
  if (kernel == 1 && stride == 1 && wide == 0 && product_ops(x) != nullptr) {
    const auto added = residual.defined() ? ops::to_pixels(residual) : at::Tensor();
    const auto y = cuda.linear(ops::to_pixels(x), at_hand(weight).flatten(1), own_bias, product_sum(added));
    return ops::to_map(y, {x.size(0), own_bias.size(0), x.size(2), x.size(3)});
  }
  const bool wraps = wide > 0 && ops::WrapScope::active().any();
  const auto source = wraps ? ops::padded(x, {wide, wide, wide, wide}) : x;
  const auto padding = wraps ? 0 : wide;
  if (cuda_paths().convolutions)
    return cuda.convolution(source, at_hand(weight), own_bias, stride, padding, {residual, true, true});
  const auto y = at::conv2d(source, at_hand(weight), own_bias, stride, padding);
  return residual.defined() ? residual + y : y;
}

at::Tensor Conv2d::convolve_doubled(const CudaOps& cuda, const at::Tensor& x, const at::Tensor& own_bias) const {
  const bool wraps = ops::WrapScope::active().any();
  const auto source = wraps ? ops::padded(x, {1, 1, 1, 1}) : x;
  const std::int64_t padding = wraps ? 0 : 1;
  const auto biases = own_bias.repeat({4});
  return ops::place_doubled(cuda_paths().convolutions ? cuda.convolution(source, folded_, biases, 1, padding, {})
                                                      : at::conv2d(source, folded_, biases, 1, padding));
}

GroupNorm::GroupNorm(const Place& place, std::int64_t groups, std::int64_t channels, double eps)
    : Module(place), groups_(groups), eps_(eps) {
  parameter(weight, "weight", {channels});
  parameter(bias, "bias", {channels});
}

void GroupNorm::pack_weights() {
  weight = weight.to(at::kFloat);
  bias = bias.to(at::kFloat);
}

at::Tensor GroupNorm::forward(const at::Tensor& x, std::optional<Activation> activation) const {
  return normalise(x, activation, /*in_place=*/false);
}

at::Tensor GroupNorm::forward(at::Tensor&& x, std::optional<Activation> activation) const {
  const auto own = std::move(x);  // the caller's is empty from here on, so that it holds no memory either
  return normalise(own, activation, own.use_count() == 1 && own.storage().use_count() == 1);
}

at::Tensor GroupNorm::normalise(const at::Tensor& x, std::optional<Activation> activation, bool in_place) const {
  const bool silu = activation == Activation::kSilu;
  if (const auto* cuda = cuda_ops(x)) {
    const auto y = cuda->group_norm(x, weight, bias, groups_, eps_, silu);
    return activation && !silu ? activate(*activation, y) : y;
  }
  const bool packed = kernels() != nullptr && ops::fits_kernels(x);
  const auto y = packed ? ops::group_norm(x, weight, bias, {groups_, eps_, silu, in_place}, *kernels())
                        : at::group_norm(x, groups_, weight, bias, eps_);
  return activation && !(packed && silu) ? activate(*activation, y) : y;
}

LayerNorm::LayerNorm(const Place& place, std::int64_t features, double eps) : Module(place), eps_(eps) {
  parameter(weight, "weight", {features});
  parameter(bias, "bias", {features});
}

void LayerNorm::pack_weights() {
  weight = weight.to(at::kFloat);
  bias = bias.to(at::kFloat);
}

at::Tensor LayerNorm::forward(const at::Tensor& x) const {
  if (kernels() != nullptr && ops::fits_kernels(x)) return ops::layer_norm(x, weight, bias, eps_, *kernels());
  if (const auto* cuda = cuda_ops(x)) return cuda->layer_norm(x, {}, weight, bias, eps_).normed;
  return at::layer_norm(x, {weight.size(0)}, weight, bias, eps_);
}

Embedding::Embedding(const Place& place, std::int64_t rows, std::int64_t features) : Module(place) {
  parameter(weight, "weight", {rows, features});
}

at::Tensor Embedding::forward(const at::Tensor& ids) const {
  if (!added_rows.defined()) return at::embedding(weight, ids);
  const auto last = weight.size(0) - 1;
  const auto known = at::embedding(weight, ids.clamp_max(last));
  const auto added = at::embedding(added_rows, (ids - weight.size(0)).clamp_min(0));
  return at::where(ids.gt(last).unsqueeze(-1), added, known);
}

}  // namespace fjord::nn
