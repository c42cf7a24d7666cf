#include "ops/cpu_tensors.h"

#include <ATen/ops/empty.h>

namespace fjord::ops {
namespace {

constexpr size_t kAlignment = 64;

}  // namespace

bool fits_kernels(const at::Tensor& x) {
  return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

kernels::Element element_of(const at::Tensor& x) {
  return x.scalar_type() == at::kFloat ? kernels::Element::kFloat32 : kernels::Element::kBFloat16;
}

Scratch::Scratch(size_t bytes_a_worker) : stride_((bytes_a_worker + kAlignment - 1) / kAlignment * kAlignment) {
  // LibTorch's CPU memory starts at multiples of 64 bytes.
  memory_ = at::empty({static_cast<std::int64_t>(stride_) * parallel_workers()}, at::kByte);
}

void* Scratch::of(int worker) const {
  return static_cast<char*>(memory_.mutable_data_ptr()) + static_cast<size_t>(worker) * stride_;
}

at::Tensor to_pixels(const at::Tensor& map) { return map.flatten(2).transpose(1, 2).contiguous(); }

at::Tensor to_map(const at::Tensor& pixels, at::IntArrayRef map_sizes) {
  return pixels.transpose(1, 2).reshape(map_sizes);
}

}  // namespace fjord::ops
