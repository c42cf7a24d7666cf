#include "loading/original/tensor_shapes.h"

#include "core/check.h"

namespace fjord::loading {

std::int64_t TensorShapes::size(const std::string& name, size_t dimension) const {
  const auto found = tensors_.find(name);
  check(found != tensors_.end() && found->second.shape.size() > dimension, ErrorCode::kBadFile, where_,
        " is not whole: expected the tensor ", fjord::quoted(name));
  return found->second.shape[dimension];
}

std::int64_t TensorShapes::count(const std::string& list) const {
  std::int64_t number = 0;
  while (has(list + "." + std::to_string(number) + ".")) ++number;
  return number;
}

}  // namespace fjord::loading
