#include "nn/activation.h"

#include "core/check.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/mish.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>

namespace fjord::nn {

Activation parse_activation(const std::string& name) {
  if (name == "silu" || name == "swish") return Activation::kSilu;
  if (name == "mish") return Activation::kMish;
  if (name == "gelu") return Activation::kGelu;
  if (name == "relu") return Activation::kRelu;
  if (name == "quick_gelu") return Activation::kQuickGelu;
  fail(ErrorCode::kUnsupported, "activation must be silu, swish, mish, gelu, relu or quick_gelu, got ", quoted(name));
}

kernels::Activation kernel_activation(Activation activation) {
  switch (activation) {
    case Activation::kSilu: return kernels::Activation::kSilu;
    case Activation::kGelu: return kernels::Activation::kGelu;
    case Activation::kQuickGelu: return kernels::Activation::kQuickGelu;
    default: return kernels::Activation::kNone;
  }
}

at::Tensor activate(Activation activation, const at::Tensor& x) {
  switch (activation) {
    case Activation::kSilu: return at::silu(x);
    case Activation::kMish: return at::mish(x);
    case Activation::kGelu: return at::gelu(x);
    case Activation::kRelu: return at::relu(x);
    case Activation::kQuickGelu: return x * at::sigmoid(1.702 * x);
  }
  fail(ErrorCode::kInternal, "unknown activation");
}

}  // namespace fjord::nn
