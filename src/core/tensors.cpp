#include "core/tensors.h"

#include "core/check.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace fjord {
namespace {

// A number is not finite when all bits of its exponent are set.
template <typename Word>
bool has_full_exponent(const at::Tensor& tensor, Word exponent) {
  const auto* words = static_cast<const Word*>(tensor.const_data_ptr());
  const auto count = tensor.numel();
  Word found = 0;
  for (std::int64_t i = 0; i < count; ++i) found |= static_cast<Word>((words[i] & exponent) == exponent);
  return found != 0;
}

}  // namespace

Array to_array(const at::Tensor& tensor) {
  const auto plain = tensor.to(at::kCPU, at::kFloat).contiguous();
  const float* begin = plain.const_data_ptr<float>();
  return {plain.sizes().vec(), std::vector<float>(begin, begin + plain.numel())};
}

at::Tensor to_tensor(const Array& array, const std::string& what) {
  std::int64_t numel = 1;
  for (const auto size : array.shape) {
    check(size >= 0 && (size == 0 || numel <= std::numeric_limits<std::int64_t>::max() / size),
          ErrorCode::kInvalidArgument, what, " has an impossible shape ", at::IntArrayRef(array.shape));
    numel *= size;
  }
  check(static_cast<size_t>(numel) == array.values.size(), ErrorCode::kInvalidArgument, what, " of shape ",
        at::IntArrayRef(array.shape), " needs ", numel, " values, got ", array.values.size());
  auto tensor = at::empty(array.shape, at::kFloat);
  std::copy(array.values.begin(), array.values.end(), tensor.mutable_data_ptr<float>());
  return tensor;
}

bool is_finite(const at::Tensor& tensor) {
  const auto type = tensor.scalar_type();
  if (tensor.is_cpu() && tensor.is_contiguous()) {
    if (type == at::kFloat) return !has_full_exponent<std::uint32_t>(tensor, 0x7f800000);
    if (type == at::kHalf) return !has_full_exponent<std::uint16_t>(tensor, 0x7c00);
    if (type == at::kBFloat16) return !has_full_exponent<std::uint16_t>(tensor, 0x7f80);
  }
  return !tensor.is_floating_point() || tensor.isfinite().all().item<bool>();
}

}  // namespace fjord
