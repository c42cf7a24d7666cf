#include "ops/winograd.h"

#include "core/memory_pool.h"
#include "ops/cpu_tensors.h"
#include "ops/wrap.h"

#include <algorithm>
#include <vector>

namespace fjord::ops {
namespace {

using kernels::WeightKind;

constexpr std::int64_t kTiles = 64;                                // of a block
constexpr std::int64_t kTransformedBytes = std::int64_t{8} << 20;  // a worker's share of transformed tiles
constexpr std::int64_t kLeastIn = 16, kLeastOut = 32;

// For every row (or column) of the enlarged map, and one more at both ends, the one it is copied from; -1 for zeros.
// arithmetic of upsample_nearest2d: floor(i * in / out) in float32.
std::vector<std::int32_t> sources(std::int64_t in, std::int64_t out, bool wrap) {
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  std::vector<std::int32_t> from(static_cast<size_t>(out) + 2, -1);
  for (std::int64_t i = 0; i < out; ++i) {
    from[static_cast<size_t>(i) + 1] =
        std::min(static_cast<std::int32_t>(static_cast<float>(i) * scale), static_cast<std::int32_t>(in - 1));
  }
  if (!wrap) return from;
  from.front() = from[from.size() - 2];
  from.back() = from[1];
  return from;
}

std::int64_t tiles_of(const kernels::ConvProblem& p) { return p.batch * ((p.height + 3) / 4) * ((p.width + 3) / 4); }

// Tiles that are transformed at once: all, or as many as keep the transformed ones within the workers' share.
std::int64_t tiles_at_once(const kernels::ConvProblem& p, const kernels::CpuKernels& kernels) {
  const auto bytes = kernels.conv_transformed_floats(p, kTiles) * static_cast<std::int64_t>(sizeof(float));
  const auto blocks = std::max<std::int64_t>(1, kTransformedBytes * parallel_workers() / bytes);
  return std::min(tiles_of(p), blocks * kTiles);
}

void convolve(const kernels::ConvProblem& problem, const kernels::CpuKernels& kernels) {
  const auto total = tiles_of(problem), step = tiles_at_once(problem, kernels);
  const auto transformed = pooled_empty({kernels.conv_transformed_floats(problem, step)}, at::kFloat);
  const Scratch scratch(kernels.conv_output_scratch(problem));
  for (std::int64_t begin = 0; begin < total; begin += step) {
    const kernels::ConvTiles tiles{begin, std::min(step, total - begin), transformed.mutable_data_ptr<float>()};
    const auto inputs = static_cast<double>(tiles.count * 36 * problem.in_channels);
    parallel_for_each(kernels.conv_input_items(problem, tiles), 4 * inputs,
                      [&](std::int64_t item, int) { kernels.conv_input(problem, tiles, item); });
    const auto operations = 2 * inputs * static_cast<double>(problem.out_channels);
    parallel_for_each(kernels.conv_output_items(problem, tiles), operations, [&](std::int64_t item, int worker) {
      kernels.conv_output(problem, tiles, item, scratch.of(worker));
    });
  }
}

}  // namespace

bool winograd_pays(std::int64_t in_channels, std::int64_t out_channels) {
  return in_channels >= kLeastIn && out_channels >= kLeastOut;
}

PackedWinograd pack_winograd(const StoredWeight& weight, at::ScalarType dtype, const kernels::CpuKernels& kernels) {
  const bool int8 = weight.kind == WeightKind::kInt8 || weight.kind == WeightKind::kInt8Product;
  PackedWinograd packed{{}, int8 ? weight.factors : at::Tensor(), int8 ? WeightKind::kInt8 : weight.kind};
  kernels::ConvProblem problem;
  problem.element = element_of(dtype);
  problem.kind = packed.kind;
  problem.in_channels = weight.row_length / 9;
  problem.out_channels = weight.values.size(0);
  packed.data = pooled_empty({kernels.pack_conv_bytes(problem)}, at::kByte);
  const auto memory = memory_of(weight);
  kernels.pack_conv(problem, memory.rows, packed.data.mutable_data_ptr());
  return packed;
}

at::Tensor winograd(const at::Tensor& x, const PackedWinograd& weight, const at::Tensor& bias, const ConvExtras& extras,
                    const kernels::CpuKernels& kernels) {
  const auto size = extras.enlarge_to.value_or(ImageSize{x.size(2), x.size(3)});
  const auto pixels = to_pixels(x);
  const auto& wrap = WrapScope::active();
  const auto rows = sources(x.size(2), size[0], wrap.y), columns = sources(x.size(3), size[1], wrap.x);
  const auto all_bias = extras.image_bias.defined() ? (bias + extras.image_bias).contiguous() : bias;
  const auto residual = extras.residual.defined() ? to_pixels(extras.residual) : at::Tensor();
  auto out = pooled_empty({x.size(0), size[0] * size[1], bias.size(0)}, x.scalar_type());
  convolve({.x = pixels.const_data_ptr(),
            .weight = weight.data.const_data_ptr(),
            .kind = weight.kind,
            .weight_scale = weight.scale.defined() ? weight.scale.const_data_ptr<float>() : nullptr,
            .bias = all_bias.const_data_ptr<float>(),
            .bias_batch_stride = extras.image_bias.defined() ? bias.size(0) : 0,
            .residual = residual.defined() ? residual.const_data_ptr() : nullptr,
            .out = out.mutable_data_ptr(),
            .element = element_of(x.scalar_type()),
            .batch = x.size(0),
            .in_height = x.size(2),
            .in_width = x.size(3),
            .in_channels = x.size(1),
            .height = size[0],
            .width = size[1],
            .out_channels = bias.size(0),
            .row_of = rows.data() + 1,
            .column_of = columns.data() + 1},
           kernels);
  return to_map(out, {x.size(0), bias.size(0), size[0], size[1]});
}

}  // namespace fjord::ops
