// Between at::Tensor and the torch-free Array of the public interface.
#pragma once

#include <fjord/request.h>

#include <ATen/core/Tensor.h>

#include <string>

namespace fjord {

// A float32 copy on the CPU.
Array to_array(const at::Tensor& tensor);

// A float32 tensor with its own memory. Throws kInvalidArgument, naming `what`, if shape and values disagree.
at::Tensor to_tensor(const Array& array, const std::string& what);

// Whether there is neither NaN nor infinity in it. One pass over the memory where that is on the CPU.
bool is_finite(const at::Tensor& tensor);

}  // namespace fjord
