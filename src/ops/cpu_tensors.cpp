#include "ops/cpu_tensors.h"

#include "core/cuda_plugin.h"
#include "core/memory_pool.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <cstring>

namespace fjord::ops {
namespace {

constexpr size_t kAlignment = 64;
constexpr std::int64_t kPixelsOfItem = 256;

}  // namespace

bool fits_kernels(const at::Tensor& x) {
  return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

kernels::Element element_of(at::ScalarType dtype) {
  return dtype == at::kFloat ? kernels::Element::kFloat32 : kernels::Element::kBFloat16;
}

Scratch::Scratch(size_t bytes_a_worker) : stride_((bytes_a_worker + kAlignment - 1) / kAlignment * kAlignment) {
  memory_ = pooled_empty({static_cast<std::int64_t>(stride_) * parallel_workers()}, at::kByte);
}

void* Scratch::of(int worker) const {
  return static_cast<char*>(memory_.mutable_data_ptr()) + static_cast<size_t>(worker) * stride_;
}

void for_blocks(std::int64_t count, std::int64_t size, double operations,
                const std::function<void(std::int64_t begin, std::int64_t end)>& f) {
  parallel_for_each((count + size - 1) / size, operations,
                    [&](std::int64_t item, int) { f(item * size, std::min(count, (item + 1) * size)); });
}

at::Tensor to_pixels(const at::Tensor& map) { return map.flatten(2).transpose(1, 2).contiguous(); }

at::Tensor to_map(const at::Tensor& pixels, at::IntArrayRef map_sizes) {
  return pixels.transpose(1, 2).reshape(map_sizes);
}

at::Tensor join_channels(const at::Tensor& first, const at::Tensor& second) {
  const bool on_cpu = first.is_cpu() && cuda_ops(first) == nullptr;
  if (!on_cpu || !first.is_contiguous(at::MemoryFormat::ChannelsLast)) return at::cat({first, second}, 1);
  const auto left = to_pixels(first), right = to_pixels(second);
  auto out = pooled_empty({left.size(0), left.size(1), left.size(2) + right.size(2)}, left.scalar_type());
  const auto size = static_cast<std::int64_t>(left.element_size());
  const auto left_bytes = left.size(2) * size, right_bytes = right.size(2) * size;
  const auto pixels = left.size(0) * left.size(1);
  for_blocks(pixels, kPixelsOfItem, static_cast<double>(out.nbytes()), [&](std::int64_t begin, std::int64_t end) {
    const auto* a = static_cast<const char*>(left.const_data_ptr());
    const auto* b = static_cast<const char*>(right.const_data_ptr());
    auto* to = static_cast<char*>(out.mutable_data_ptr());
    for (auto p = begin; p < end; ++p) {
      std::memcpy(to + p * (left_bytes + right_bytes), a + p * left_bytes, static_cast<size_t>(left_bytes));
      std::memcpy(to + p * (left_bytes + right_bytes) + left_bytes, b + p * right_bytes,
                  static_cast<size_t>(right_bytes));
    }
  });
  return to_map(out, {first.size(0), first.size(1) + second.size(1), first.size(2), first.size(3)});
}

}  // namespace fjord::ops
