#include "core/tensors.h"

#include "core/check.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <limits>

namespace fjord {

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

}  // namespace fjord
