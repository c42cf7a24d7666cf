// A 3x3 convolution of a map that was doubled by nearest neighbour, worked out on the small map. A pixel of the doubled
// map sees at most two by two pixels of the small one, so each of the four pixels that one becomes needs a 2x2 kernel
// alone, whose weights are sums of the 3x3 kernel's: 4/9 of the products, and no doubled map. Exact but for rounding.
#pragma once

#include <ATen/core/Tensor.h>

namespace fjord::ops {

// weight [out, in, 3, 3] -> [4 * out, in, 2, 2]: the kernels of the upper left, upper right, lower left and lower right
// pixel, channels last. Sums are rounded once.
at::Tensor fold_doubling(const at::Tensor& weight);

// What a convolution with the folded kernels gives on the small map with one pixel around it, [batch, 4 * out,
// height + 1, width + 1] -> the pixels in their places, [batch, out, 2 * height, 2 * width], channels last.
at::Tensor place_doubled(const at::Tensor& y);

}  // namespace fjord::ops
