#include "ops/onednn.h"

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <array>
#include <optional>
#include <string_view>

namespace fjord::ops {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using OptionalTensor = std::optional<at::Tensor>;
using OptionalText = std::optional<std::string_view>;

using PackConvolution = at::Tensor(const at::Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, std::int64_t,
                                   at::OptionalIntArrayRef);
using RunConvolution = at::Tensor(const at::Tensor&, const at::Tensor&, const OptionalTensor&, at::IntArrayRef,
                                  at::IntArrayRef, at::IntArrayRef, std::int64_t, std::string_view, Scalars,
                                  OptionalText);

template <typename Signature>
std::optional<c10::TypedOperatorHandle<Signature>> find(const char* name, const char* overload = "") {
  const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!handle) return std::nullopt;
  return handle->typed<Signature>();
}

OptionalTensor optional(const at::Tensor& tensor) { return tensor.defined() ? OptionalTensor(tensor) : std::nullopt; }

// oneDNN takes float32 anywhere, bfloat16 from AVX-512 on.
bool can_pack(const at::Tensor& weight) {
  if (!weight.is_cpu() || !at::globalContext().hasMKLDNN()) return false;
  return weight.scalar_type() == at::kFloat ||
         (weight.scalar_type() == at::kBFloat16 && at::get_cpu_capability().starts_with("AVX512"));
}

Scalars no_scalars() { return Scalars(); }

}  // namespace

at::Tensor pack_convolution(const at::Tensor& weight, const ConvShape& shape) {
  static const auto pack = find<PackConvolution>("mkldnn::_reorder_convolution_weight");
  if (!pack || !can_pack(weight)) return {};
  const std::array padding{shape.padding, shape.padding}, stride{shape.stride, shape.stride};
  const std::array<std::int64_t, 2> dilation{1, 1};
  return pack->call(weight, padding, stride, dilation, 1, std::nullopt);
}

at::Tensor packed_convolution(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& bias,
                              const ConvShape& shape) {
  static const auto run = find<RunConvolution>("mkldnn::_convolution_pointwise");
  const std::array padding{shape.padding, shape.padding}, stride{shape.stride, shape.stride};
  const std::array<std::int64_t, 2> dilation{1, 1};
  return run->call(x, packed, optional(bias), padding, stride, dilation, 1, "none", no_scalars(), std::nullopt);
}

}  // namespace fjord::ops
