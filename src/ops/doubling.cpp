#include "ops/doubling.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>

#include <array>
#include <vector>

namespace fjord::ops {
namespace {

// Three weights along `dim` as the two that the first, and the two that the second of a pixel's halves needs.
std::array<at::Tensor, 2> halves(const at::Tensor& weight, std::int64_t dim) {
  const auto w = weight.unbind(dim);
  return {at::stack({w[0], w[1] + w[2]}, dim), at::stack({w[0] + w[1], w[2]}, dim)};
}

}  // namespace

at::Tensor fold_doubling(const at::Tensor& weight) {
  const auto wide = weight.scalar_type() == at::kDouble ? weight : weight.to(at::kFloat);
  std::vector<at::Tensor> kernels;
  for (const auto& rows : halves(wide, 2)) {
    for (const auto& kernel : halves(rows, 3)) kernels.push_back(kernel);
  }
  return at::cat(kernels).to(weight.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor place_doubled(const at::Tensor& y_in) {
  const auto y = y_in.contiguous(at::MemoryFormat::ChannelsLast);
  const auto out = y.size(1) / 4, height = y.size(2) - 1, width = y.size(3) - 1;
  const auto row = y.stride(2), column = y.stride(3);
  const auto placed = y.as_strided({y.size(0), height, 2, width, 2, out},
                                   {y.stride(0), row, row + 2 * out, column, column + out, 1}, y.storage_offset());
  return placed.contiguous().view({y.size(0), 2 * height, 2 * width, out}).permute({0, 3, 1, 2});
}

}  // namespace fjord::ops
