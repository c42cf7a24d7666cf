// Between tensors and the CPU kernels.
#pragma once

#include "core/parallel.h"
#include "kernels/cpu/kernels.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace fjord::ops {

// A tensor in memory that the CPU kernels can take.
bool fits_kernels(const at::Tensor& x);
kernels::Element element_of(at::ScalarType dtype);

// Working memory of every worker of parallel_for_each, 64-byte aligned.
class Scratch {
 public:
  explicit Scratch(size_t bytes_a_worker);
  void* of(int worker) const;

 private:
  at::Tensor memory_;
  size_t stride_;
};

// Calls f(begin, end) for the blocks of `size` of 0 .. count - 1, as parallel_for_each calls for its items.
void for_blocks(std::int64_t count, std::int64_t size, double operations,
                const std::function<void(std::int64_t begin, std::int64_t end)>& f);

// The pixels of a feature map [batch, channels, height, width] as rows of channels, [batch, height * width, channels]:
// a view of a map that is channels last in memory, else a copy.
at::Tensor to_pixels(const at::Tensor& map);
// Back: a view, channels last in memory.
at::Tensor to_map(const at::Tensor& pixels, at::IntArrayRef map_sizes);

// Feature maps [batch, channels, height, width] one behind the other along the channels; channels last if the first is.
at::Tensor join_channels(const at::Tensor& first, const at::Tensor& second);

}  // namespace fjord::ops
