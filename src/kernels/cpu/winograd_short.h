// Products of transformed tiles and weights as 16-bit whole numbers, where the processor multiplies those faster than
// float32. Of 64 input channels at a time, every tile and every output has a factor that brings its largest number to
// 13 and 12 bits, so that 64 products fit into int32. Error of a convolution: 1e-3 of the root mean square, less than
// the 1.7e-3 of rounding the result to bfloat16.
#pragma once

#include "kernels/cpu/rounded_row.h"
#include "kernels/cpu/winograd_transform.h"

#ifdef __SSE2__
#define FJORD_SHORT_PRODUCTS

namespace fjord::kernels {
namespace {

struct ShortProducts {
  using Short = std::int16_t;
  static constexpr float kTopOfTile = 8191, kTopOfWeight = 4095;  // 64 * 8191 * 4095 < 2^31
  static constexpr Index kPairs = kIn / 2;

  static Index chunks(const ConvProblem& p) { return (p.in_channels + kIn - 1) / kIn; }
  static Index floats_of_tile(const ConvProblem& p) { return kFrequencies * chunks(p) * (kIn / 2 + 1); }

  // Blocks of kTiles lie one after the other, each as [chunk][frequency][tile of the block][channel of the chunk] and,
  // behind those, factors [chunk][frequency][tile of the block].
  struct Transformed {
    Short* values;
    float* factors;
    Index tile;   // of the block
    Index tiles;  // in the block
    Transformed(const ConvProblem& p, const ConvTiles& range, Index tile_in_range) : tile(tile_in_range % kTiles) {
      const auto first = tile_in_range - tile;
      tiles = least(kTiles, range.count - first);
      auto* const block = range.transformed + first * floats_of_tile(p);
      values = reinterpret_cast<Short*>(block);
      factors = block + chunks(p) * kFrequencies * tiles * kIn / 2;
    }
    Index place(Index chunk, Index frequency) const { return (chunk * kFrequencies + frequency) * tiles + tile; }
    Short* values_of(Index chunk, Index frequency) const { return values + place(chunk, frequency) * kIn; }
    float* factors_of(Index chunk, Index frequency) const { return factors + place(chunk, frequency); }
  };

  // Rounded to whole numbers, in the low halves of the words.
  static FJORD_INLINE WordVec rounded(Vec v, Vec factor) {
    return reinterpret_cast<WordVec>(v * factor + broadcast(kRoundToBits));
  }

  static FJORD_INLINE void round_channels(const float* from, Short* to, float* factor) {
    Vec v[kIn / kLanes], top{};
    for (int i = 0; i < kIn / kLanes; ++i) {
      v[i] = load(from + i * kLanes);
      top = max(top, magnitude(v[i]));
    }
    const float most = greatest_of(top);
    *factor = most / kTopOfTile;
    const Vec inverse = broadcast(most > 0 ? kTopOfTile / most : 0);
    for (int i = 0; i < kIn / kLanes; ++i) store_low_bits(rounded(v[i], inverse), to + i * kLanes);
  }

  template <typename T>
  static void transform_tile(const ConvProblem& p, const Grid& grid, Index tile, const Transformed& to) {
    const Window<T> window(p, grid, tile);
    alignas(64) float frequencies[kFrequencies][kIn];
    for (Index chunk = 0; chunk < chunks(p); ++chunk) {
      for (Index v = 0; v < kIn; v += kLanes) {
        const auto c = chunk * kIn + v, rest = p.in_channels - c;
        const auto write = [&](Index f, Vec values) { store(&frequencies[f][v], values); };
        if (rest >= kLanes) {
          transform_window([&](int i, int j) { return load(window.pixel[i][j] + c * window.step[i][j]); }, write);
        } else if (rest > 0) {
          transform_window([&](int i, int j) { return load_some(window.pixel[i][j] + c * window.step[i][j], rest); },
                           write);
        } else {
          for (Index f = 0; f < kFrequencies; ++f) write(f, Vec{});
        }
      }
      for (Index f = 0; f < kFrequencies; ++f) {
        round_channels(frequencies[f], to.values_of(chunk, f), to.factors_of(chunk, f));
      }
    }
  }

  // Row `i` of the transformed weights of up to kIn input channels and kColumns outputs.
  struct Weights {
    Word* pairs;     // [kInputs][kPairs][kColumns], two channels a word
    float* factors;  // [kInputs][kColumns]
    explicit Weights(const Sums& s)
        : pairs(reinterpret_cast<Word*>(s.weights)), factors(s.weights + kInputs * kPairs * kColumns) {}
  };

  static FJORD_INLINE void write_weights(const ConvWeights& weights, Index count, int i, const Weights& to) {
    for (int v = 0; v < kColumns; v += kLanes) {
      alignas(64) float exact[kInputs][kIn][kLanes];
      Vec top[kInputs] = {};
      for (Index c = 0; c < count; ++c) {
        Vec u[kInputs];
        transform_weights(weights, c, v, i, u);
        for (int j = 0; j < kInputs; ++j) {
          store(exact[j][c], u[j]);
          top[j] = max(top[j], magnitude(u[j]));
        }
      }
      if (count % 2 != 0) {
        for (auto& row : exact) store(row[count], Vec{});
      }
      for (Index j = 0; j < kInputs; ++j) {
        store(to.factors + j * kColumns + v, top[j] * broadcast(1 / kTopOfWeight));
        const Vec inverse = select(top[j] > Vec{}, broadcast(kTopOfWeight) / top[j], Vec{});
        for (Index pair = 0; pair < (count + 1) / 2; ++pair) {
          const WordVec even = rounded(load(exact[j][2 * pair]), inverse);
          const WordVec odd = rounded(load(exact[j][2 * pair + 1]), inverse);
          const WordVec both = (even & 0xffffu) | (odd << 16);
          std::memcpy(to.pairs + (j * kPairs + pair) * kColumns + v, &both, sizeof both);
        }
      }
    }
  }

  // The products of one frequency and one chunk of input channels.
  struct Gemm {
    const Short* tiles;  // rows of kIn
    const float* tile_factors;
    const Word* weights;
    const float* weight_factors;
    float* sums;  // rows of kOut
    Index rows, steps;
    bool first;  // the sums hold nothing yet
  };

  static __attribute__((noinline)) void multiply(const Gemm& g) {
    for_row_groups(g.rows, [&]<int n>(Index row) {
      Tile<n> tile;
      tile.zero();
      accumulate<ShortMath>(tile, reinterpret_cast<const Word*>(g.tiles + row * kIn), kPairs, 1, g.weights, g.steps);
      for (int v = 0; v < kVectors; ++v) {
        const Vec weight_factor = load(g.weight_factors + v * kLanes);
        for (int r = 0; r < n; ++r) {
          float* const sum = g.sums + (row + r) * kOut + v * kLanes;
          const Vec factor = weight_factor * broadcast(g.tile_factors[row + r]);
          const Vec product = __builtin_convertvector(reinterpret_cast<IntVec>(tile.sums[r][v]), Vec);
          store(sum, g.first ? product * factor : product * factor + load(sum));
        }
      }
    });
  }

  static void sum_channels(const ConvProblem& p, const Transformed& from, Index rows, const char* panel,
                           const Sums& s) {
    const Weights weights(s);
    for (Index chunk = 0; chunk < chunks(p); ++chunk) {
      const auto first = chunk * kIn, count = least(kIn, p.in_channels - first);
      for (int column = 0; column < kOut; column += kColumns) {
        const auto plain = read_weights(p, panel, first, count, column, s.unpacked);
#pragma GCC unroll 6
        for (int i = 0; i < kInputs; ++i) {
          write_weights(plain, count, i, weights);
          for (Index j = 0; j < kInputs; ++j) {
            const auto f = i * kInputs + j;
            multiply({from.values_of(chunk, f), from.factors_of(chunk, f), weights.pairs + j * kPairs * kColumns,
                      weights.factors + j * kColumns, s.sums + f * rows * kOut + column, rows, (count + 1) / 2,
                      chunk == 0});
          }
        }
      }
    }
  }
};

}  // namespace
}  // namespace fjord::kernels
#endif
