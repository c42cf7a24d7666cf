// Products of transformed tiles and weights in float32.
#pragma once

#include "kernels/cpu/winograd_transform.h"

namespace fjord::kernels {
namespace {

struct FloatProducts {
  static Index floats_of_tile(const ConvProblem& p) { return kFrequencies * p.in_channels; }

  // Blocks of kTiles lie one after the other, each as [chunk of kIn channels][frequency][tile of the block][channel of
  // the chunk].
  struct Transformed {
    float* block;
    Index tile;   // of the block
    Index tiles;  // in the block
    Index channels;
    Transformed(const ConvProblem& p, const ConvTiles& range, Index tile_in_range)
        : tile(tile_in_range % kTiles), channels(p.in_channels) {
      const auto first = tile_in_range - tile;
      tiles = least(kTiles, range.count - first);
      block = range.transformed + first * floats_of_tile(p);
    }
    Index width(Index first) const { return least(kIn, channels - first); }
    // The values of the tile in the chunk that begins with channel `first`.
    float* values_of(Index first, Index frequency) const {
      return block + first * kFrequencies * tiles + (frequency * tiles + tile) * width(first);
    }
  };

  template <typename T>
  static void transform_tile(const ConvProblem& p, const Grid& grid, Index tile, const Transformed& to) {
    const Window<T> window(p, grid, tile);
    for (Index c = 0; c < p.in_channels; c += kLanes) {
      const auto first = c / kIn * kIn, stride = to.tiles * to.width(first), rest = p.in_channels - c;
      float* const values = to.values_of(first, 0) + c - first;
      if (rest >= kLanes) {
        transform_window([&](int i, int j) { return load(window.pixel[i][j] + c * window.step[i][j]); },
                         [&](Index f, Vec v) { store(values + f * stride, v); });
      } else {
        transform_window([&](int i, int j) { return load_some(window.pixel[i][j] + c * window.step[i][j], rest); },
                         [&](Index f, Vec v) { store_some(values + f * stride, v, rest); });
      }
    }
  }

  // Row `i` of the transformed weights of `count` input channels and kColumns outputs: to[j][channel][column].
  static FJORD_INLINE void write_weights(const ConvWeights& weights, Index count, int i, float* to) {
    for (Index c = 0; c < count; ++c) {
      for (int v = 0; v < kColumns; v += kLanes) {
        Vec u[kInputs];
        transform_weights(weights, c, v, i, u);
        for (int j = 0; j < kInputs; ++j) store(to + (j * kIn + c) * kColumns + v, u[j]);
      }
    }
  }

  static void sum_channels(const ConvProblem& p, const Transformed& from, Index rows, const char* panel,
                           const Sums& s) {
    for (Index first = 0; first < p.in_channels; first += kIn) {
      const auto count = least(kIn, p.in_channels - first);
      for (int column = 0; column < kOut; column += kColumns) {
        const auto weights = read_weights(p, panel, first, count, column, s.unpacked);
#pragma GCC unroll 6
        for (int i = 0; i < kInputs; ++i) {
          write_weights(weights, count, i, s.weights);
          for (Index j = 0; j < kInputs; ++j) {
            const auto f = i * kInputs + j;
            multiply<FloatMath>({.a = reinterpret_cast<const Word*>(from.values_of(first, f)),
                                 .a_row = count,
                                 .rows = rows,
                                 .b = reinterpret_cast<const Word*>(s.weights + j * kIn * kColumns),
                                 .steps = count,
                                 .sums = s.sums + f * rows * kOut + column,
                                 .sums_row = kOut,
                                 .initial = first == 0 ? kZeros : nullptr});
          }
        }
      }
    }
  }
};

}  // namespace
}  // namespace fjord::kernels
