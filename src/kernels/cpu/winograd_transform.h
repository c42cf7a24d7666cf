// What both ways of Winograd's F(4x4, 3x3) have in common: the transforms, the tiles and what they see.
#pragma once

#include "kernels/cpu/tile.h"
#include "kernels/cpu/weight_panel.h"

namespace fjord::kernels {
namespace {

constexpr Index kOutputs = 4;       // a tile's side
constexpr Index kInputs = 6;        // the side of what a tile sees
constexpr Index kFrequencies = 36;  // kInputs squared
constexpr Index kTiles = 64;        // tiles of an item
constexpr Index kOut = 64;          // output channels of an item
constexpr Index kIn = 64;           // input channels between two visits of the sums
constexpr Index kTaps = 9;
constexpr Index kTilesOfInputItem = 4;
static_assert(kOut % kColumns == 0);
static_assert(kIn * kTaps % config::kInt4Group == 0);

constexpr float kA = 0.75f, kB = 1.5f;  // the points
constexpr float kA2 = kA * kA, kB2 = kB * kB;

// One dimension of the input's transform.
FJORD_INLINE void transform_input(const Vec (&d)[kInputs], Vec (&v)[kInputs]) {
  const Vec even_a = d[4] - broadcast(kB2) * d[2], odd_a = broadcast(kA) * (d[3] - broadcast(kB2) * d[1]);
  const Vec even_b = d[4] - broadcast(kA2) * d[2], odd_b = broadcast(kB) * (d[3] - broadcast(kA2) * d[1]);
  v[0] = broadcast(kA2 * kB2) * d[0] - broadcast(kA2 + kB2) * d[2] + d[4];
  v[1] = even_a + odd_a;
  v[2] = even_a - odd_a;
  v[3] = even_b + odd_b;
  v[4] = even_b - odd_b;
  v[5] = broadcast(kA2 * kB2) * d[1] - broadcast(kA2 + kB2) * d[3] + d[5];
}

// One dimension of the weights' transform.
FJORD_INLINE void transform_weight(const Vec (&g)[3], Vec (&u)[kInputs]) {
  const Vec in_a = broadcast(1 / (2 * kA2 * (kA2 - kB2))), in_b = broadcast(1 / (2 * kB2 * (kB2 - kA2)));
  const Vec even_a = (g[0] + broadcast(kA2) * g[2]) * in_a, odd_a = broadcast(kA) * g[1] * in_a;
  const Vec even_b = (g[0] + broadcast(kB2) * g[2]) * in_b, odd_b = broadcast(kB) * g[1] * in_b;
  u[0] = g[0] * broadcast(1 / (kA2 * kB2));
  u[1] = even_a + odd_a;
  u[2] = even_a - odd_a;
  u[3] = even_b + odd_b;
  u[4] = even_b - odd_b;
  u[5] = g[2];
}

// One dimension of the way back.
FJORD_INLINE void transform_output(const Vec (&m)[kInputs], Vec (&y)[kOutputs]) {
  const Vec even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
  y[0] = m[0] + even_a + even_b;
  y[1] = broadcast(kA) * odd_a + broadcast(kB) * odd_b;
  y[2] = broadcast(kA2) * even_a + broadcast(kB2) * even_b;
  y[3] = broadcast(kA2 * kA) * odd_a + broadcast(kB2 * kB) * odd_b + m[5];
}

// The tiles of a problem, and where number `tile` stands.
struct Grid {
  Index across, a_image;
  explicit Grid(const ConvProblem& p)
      : across((p.width + kOutputs - 1) / kOutputs), a_image(across * ((p.height + kOutputs - 1) / kOutputs)) {}
  Index batch(Index tile) const { return tile / a_image; }
  Index y(Index tile) const { return tile % a_image / across * kOutputs; }
  Index x(Index tile) const { return tile % across * kOutputs; }
};

// What a tile sees, pixel by pixel; where there is nothing one zero stands for all channels.
template <typename T>
struct Window {
  static constexpr T kZeros[kLanes] = {};
  // A problem's row_of and column_of go on by one at both ends, where -1 stands for zeros and anything else for what a
  // wrapped map sees there. Of what lies beyond `size` only outputs are made that are thrown away.
  static Index source(const std::int32_t* sources, Index i, Index size) { return i <= size ? sources[i] : -1; }

  const T* pixel[kInputs][kInputs];
  Index step[kInputs][kInputs];

  Window(const ConvProblem& p, const Grid& grid, Index tile) {
    const auto* x = static_cast<const T*>(p.x) + grid.batch(tile) * p.in_height * p.in_width * p.in_channels;
    for (Index i = 0; i < kInputs; ++i) {
      const auto row = source(p.row_of, grid.y(tile) + i - 1, p.height);
      for (Index j = 0; j < kInputs; ++j) {
        const auto column = source(p.column_of, grid.x(tile) + j - 1, p.width);
        const bool inside = row >= 0 && column >= 0;
        step[i][j] = inside ? 1 : 0;
        pixel[i][j] = inside ? x + (row * p.in_width + column) * p.in_channels : kZeros;
      }
    }
  }
};

template <typename Load, typename Store>
FJORD_INLINE void transform_window(Load&& load_pixel, Store&& store_frequency) {
  Vec rows[kInputs][kInputs];  // [frequency][column]
#pragma GCC unroll 6
  for (int j = 0; j < kInputs; ++j) {
    Vec column[kInputs], transformed[kInputs];
    for (int i = 0; i < kInputs; ++i) column[i] = load_pixel(i, j);
    transform_input(column, transformed);
    for (int i = 0; i < kInputs; ++i) rows[i][j] = transformed[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < kInputs; ++i) {
    Vec transformed[kInputs];
    transform_input(rows[i], transformed);
    for (int j = 0; j < kInputs; ++j) store_frequency(i * kInputs + j, transformed[j]);
  }
}

// Weights of some input channels and kColumns outputs: rows [channel * 9 + tap] of float32.
struct ConvWeights {
  const float* rows;
  Index stride;
};

// Row `i` of the transformed weights of one input channel and the kLanes outputs from `column` on.
FJORD_INLINE void transform_weights(const ConvWeights& weights, Index channel, Index column, int i, Vec (&u)[kInputs]) {
  const float* const taps = weights.rows + channel * kTaps * weights.stride + column;
  Vec across[3];
  for (int b = 0; b < 3; ++b) {
    Vec down[3], frequencies[kInputs];
    for (int a = 0; a < 3; ++a) down[a] = load(taps + (a * 3 + b) * weights.stride);
    transform_weight(down, frequencies);
    across[b] = frequencies[i];
  }
  transform_weight(across, u);
}

// What an item of the output needs.
struct Sums {
  static constexpr Index kSums = kFrequencies * kTiles * kOut, kTransformed = kInputs * kIn * kColumns;
  static constexpr Index kUnpacked = kIn * kTaps * kColumns;
  float* sums;      // [frequency][tile][kOut]
  float* weights;   // [kInputs][kIn][kColumns]
  float* unpacked;  // [kIn * kTaps][kColumns]
  explicit Sums(void* scratch)
      : sums(static_cast<float*>(scratch)), weights(sums + kSums), unpacked(weights + kTransformed) {}
  static constexpr size_t kSize = sizeof(float) * (kSums + kTransformed + kUnpacked);
};

PanelShape panel_of(const ConvProblem& p) { return {p.element, p.kind, p.in_channels * kTaps, kOut}; }

// The packed weights of `count` input channels, in place or unpacked. `first` is a multiple of kIn.
ConvWeights read_weights(const ConvProblem& p, const char* panel, Index first, Index count, Index column,
                         float* unpacked) {
  const auto shape = panel_of(p);
  const auto row = first * kTaps;
  if (shape.numbers_of_unit == 1) return {reinterpret_cast<const float*>(panel) + row * kOut + column, kOut};
  const auto units = (count * kTaps + 1) / 2;
  auto* const to = reinterpret_cast<Word*>(unpacked);
  switch (p.kind) {
    case WeightKind::kInt8: unpack<FloatRows>(Int8Pairs(shape, panel, row / 2, column), units, to); break;
    case WeightKind::kInt4: unpack<FloatRows>(Int4Pairs(shape, panel, row / 2, column), units, to); break;
    default: unpack<FloatRows>(HalfPairs(shape, panel, row / 2, column), units, to); break;
  }
  return {unpacked, kColumns};
}

}  // namespace
}  // namespace fjord::kernels
