#include "ops/norm.h"

#include "core/memory_pool.h"
#include "ops/cpu_tensors.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace fjord::ops {
namespace {

constexpr std::int64_t kPixelsOfItem = 512;
constexpr std::int64_t kRowsOfItem = 32;

std::int64_t blocks(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

// Reading and writing a number takes as long as some operations.
double operations_of(std::int64_t elements) { return 4.0 * static_cast<double>(elements); }

// Group normalisation as one factor and one term for every channel of every image.
struct ScaleAndShift {
  std::vector<float> scale, shift;  // [batch, channels]
};

// A channel's first pixel: what the sums are taken about, so that large means cost no digits.
template <typename T>
std::vector<float> first_pixels(const at::Tensor& pixels) {
  std::vector<float> out;
  for (std::int64_t n = 0; n < pixels.size(0); ++n) {
    const auto* first = pixels.const_data_ptr<T>() + n * pixels.size(1) * pixels.size(2);
    out.insert(out.end(), first, first + pixels.size(2));
  }
  return out;
}

struct Moments {
  double mean = 0, variance = 0;
};

// Of the channels [begin, end), each summed about its own shift.
Moments moments(const double* sums, const double* squares, const float* about, std::int64_t begin, std::int64_t end,
                double pixels) {
  double mean = 0;
  for (auto c = begin; c < end; ++c) mean += (about[c] + sums[c] / pixels) / static_cast<double>(end - begin);
  double variance = 0;
  for (auto c = begin; c < end; ++c) {
    const double own = sums[c] / pixels, offset = about[c] + own - mean;
    variance += (squares[c] / pixels - own * own + offset * offset) / static_cast<double>(end - begin);
  }
  return {mean, std::max(variance, 0.0)};
}

ScaleAndShift statistics(const kernels::GroupNormProblem& p, const std::vector<float>& about,
                         const kernels::CpuKernels& kernels) {
  const auto parts = blocks(p.pixels, kPixelsOfItem);
  const auto size = static_cast<size_t>(p.batch * parts * p.channels);
  std::vector<double> sums(size), squares(size);
  parallel_for_each(p.batch * parts, operations_of(p.batch * p.pixels * p.channels), [&](std::int64_t item, int) {
    const auto batch = item / parts, begin = item % parts * kPixelsOfItem;
    kernels.group_norm_sums(p, batch, begin, std::min(p.pixels, begin + kPixelsOfItem),
                            about.data() + batch * p.channels, sums.data() + item * p.channels,
                            squares.data() + item * p.channels);
  });
  ScaleAndShift out{std::vector<float>(about.size()), std::vector<float>(about.size())};
  const auto width = p.channels / p.groups;
  for (std::int64_t n = 0; n < p.batch; ++n) {
    auto* sum = sums.data() + n * parts * p.channels;
    auto* square = squares.data() + n * parts * p.channels;
    for (std::int64_t i = p.channels; i < parts * p.channels; ++i) {
      sum[i % p.channels] += sum[i];
      square[i % p.channels] += square[i];
    }
    for (std::int64_t c = 0; c < p.channels; ++c) {
      const auto group = c / width * width;
      const auto m =
          moments(sum, square, about.data() + n * p.channels, group, group + width, static_cast<double>(p.pixels));
      const double scale = p.weight[c] / std::sqrt(m.variance + p.eps);
      out.scale[static_cast<size_t>(n * p.channels + c)] = static_cast<float>(scale);
      out.shift[static_cast<size_t>(n * p.channels + c)] = static_cast<float>(p.bias[c] - m.mean * scale);
    }
  }
  return out;
}

}  // namespace

at::Tensor group_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      const GroupNormOptions& options, const kernels::CpuKernels& kernels) {
  const auto pixels = to_pixels(x);
  const auto out = options.in_place ? pixels : pooled_empty(pixels.sizes(), pixels.scalar_type());
  const kernels::GroupNormProblem problem{.x = pixels.const_data_ptr(),
                                          .out = out.mutable_data_ptr(),
                                          .weight = weight.const_data_ptr<float>(),
                                          .bias = bias.const_data_ptr<float>(),
                                          .element = element_of(x.scalar_type()),
                                          .batch = pixels.size(0),
                                          .pixels = pixels.size(1),
                                          .channels = pixels.size(2),
                                          .groups = options.groups,
                                          .eps = options.eps,
                                          .silu = options.silu};
  const auto about = x.scalar_type() == at::kFloat ? first_pixels<float>(pixels) : first_pixels<at::BFloat16>(pixels);
  const auto factors = statistics(problem, about, kernels);
  const auto parts = blocks(problem.pixels, kPixelsOfItem);
  parallel_for_each(problem.batch * parts, operations_of(x.numel()), [&](std::int64_t item, int) {
    const auto batch = item / parts, begin = item % parts * kPixelsOfItem;
    kernels.group_norm_apply(problem, batch, begin, std::min(problem.pixels, begin + kPixelsOfItem),
                             factors.scale.data() + batch * problem.channels,
                             factors.shift.data() + batch * problem.channels);
  });
  return to_map(out, x.sizes());
}

at::Tensor layer_norm(const at::Tensor& x_in, const at::Tensor& weight, const at::Tensor& bias, double eps,
                      const kernels::CpuKernels& kernels) {
  const auto x = x_in.contiguous();
  auto out = pooled_empty(x.sizes(), x.scalar_type());
  const auto features = x.size(-1);
  const kernels::LayerNormProblem problem{.x = x.const_data_ptr(),
                                          .out = out.mutable_data_ptr(),
                                          .weight = weight.const_data_ptr<float>(),
                                          .bias = bias.const_data_ptr<float>(),
                                          .element = element_of(x.scalar_type()),
                                          .rows = x.numel() / features,
                                          .features = features,
                                          .eps = eps};
  for_blocks(problem.rows, kRowsOfItem, operations_of(x.numel()),
             [&](auto begin, auto end) { kernels.layer_norm(problem, begin, end); });
  return out;
}

}  // namespace fjord::ops
