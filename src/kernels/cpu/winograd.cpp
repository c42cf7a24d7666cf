// 3x3 convolution by Winograd's F(4x4, 3x3): a tile of 4x4 outputs takes 36 multiplications a channel instead of 144.
// The five finite points are 0, +-3/4, +-3/2: with them the error in float32 is 1.5 times that of the direct sum (with
// the usual 0, +-1, +-2 it is 3.5 times). Weights are transformed block by block while they are used, so that they
// take no more memory than they have elements.
#include "kernels/cpu/table.h"
#include "kernels/cpu/tile.h"
#include "kernels/cpu/transpose.h"

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

// Blocks of kTiles lie one after the other, each as [frequency][tile of the block][input channel].
struct Transformed {
  float* data;
  Index frequency_stride;
  Transformed(const ConvProblem& p, const ConvTiles& tiles, Index tile_in_range) {
    const auto first = tile_in_range / kTiles * kTiles;
    frequency_stride = least(kTiles, tiles.count - first) * p.in_channels;
    data = tiles.transformed + first * kFrequencies * p.in_channels + (tile_in_range - first) * p.in_channels;
  }
};

// What a tile sees, pixel by pixel; outside of the image one zero stands for all channels.
template <typename T>
struct Window {
  static constexpr T kZeros[kLanes] = {};
  const T* pixel[kInputs][kInputs];
  Index step[kInputs][kInputs];

  Window(const ConvProblem& p, const Grid& grid, Index tile) {
    const auto* x = static_cast<const T*>(p.x) + grid.batch(tile) * p.in_height * p.in_width * p.in_channels;
    for (Index i = 0; i < kInputs; ++i) {
      const auto row = grid.y(tile) + i - 1;
      for (Index j = 0; j < kInputs; ++j) {
        const auto column = grid.x(tile) + j - 1;
        const bool inside = row >= 0 && row < p.height && column >= 0 && column < p.width;
        step[i][j] = inside ? 1 : 0;
        pixel[i][j] = inside ? x + (p.row_of[row] * p.in_width + p.column_of[column]) * p.in_channels : kZeros;
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

template <typename T>
void transform_tile(const ConvProblem& p, const Grid& grid, Index tile, const Transformed& to) {
  const Window<T> window(p, grid, tile);
  Index c = 0;
  for (; c + kLanes <= p.in_channels; c += kLanes) {
    transform_window([&](int i, int j) { return load(window.pixel[i][j] + c * window.step[i][j]); },
                     [&](Index f, Vec v) { store(to.data + f * to.frequency_stride + c, v); });
  }
  if (const auto rest = p.in_channels - c; rest > 0) {
    transform_window([&](int i, int j) { return load_some(window.pixel[i][j] + c * window.step[i][j], rest); },
                     [&](Index f, Vec v) { store_some(to.data + f * to.frequency_stride + c, v, rest); });
  }
}

// Row `i` of the transformed weights of `count` input channels and kColumns outputs: to[j][channel][column].
template <typename Weight>
void transform_weights(const Weight* packed, Index count, int i, float* to) {
  for (Index c = 0; c < count; ++c, packed += kTaps * kOut) {
    for (int v = 0; v < kColumns; v += kLanes) {
      Vec across[3], u[kInputs];
      for (int b = 0; b < 3; ++b) {
        Vec down[3], frequencies[kInputs];
        for (int a = 0; a < 3; ++a) down[a] = load(packed + (a * 3 + b) * kOut + v);
        transform_weight(down, frequencies);
        across[b] = frequencies[i];
      }
      transform_weight(across, u);
      for (int j = 0; j < kInputs; ++j) store(to + (j * kIn + c) * kColumns + v, u[j]);
    }
  }
}

// What an item of the output needs.
struct Sums {
  float* sums;     // [frequency][tile][kOut]
  float* weights;  // [kInputs][kIn][kColumns]
  explicit Sums(void* scratch) : sums(static_cast<float*>(scratch)), weights(sums + kFrequencies * kTiles * kOut) {}
  static constexpr size_t kSize = sizeof(float) * (kFrequencies * kTiles * kOut + kInputs * kIn * kColumns);
};

struct Gemm {
  const float* a;
  Index a_row;
  const float* b;
  float* c;  // rows of kOut
  Index rows, steps;
  bool first;  // c holds nothing yet
};

FJORD_INLINE void multiply(const Gemm& g) {
  for_row_groups(g.rows, [&]<int n>(Index row) {
    Tile<n> tile;
    float* c = g.c + row * kOut;
    if (g.first) {
      tile.zero();
    } else {
      tile.load_from(c, kOut);
    }
    accumulate<FloatMath>(tile, reinterpret_cast<const Word*>(g.a + row * g.a_row), g.a_row, 1,
                          reinterpret_cast<const Word*>(g.b), g.steps);
    tile.store_to(c, kOut);
  });
}

template <typename Weight>
void sum_channels(const ConvProblem& p, const Transformed& from, Index rows, const Weight* packed, const Sums& s) {
  for (Index first = 0; first < p.in_channels; first += kIn) {
    const auto count = least(kIn, p.in_channels - first);
    const auto* chunk = packed + first * kTaps * kOut;
    for (int column = 0; column < kOut; column += kColumns) {
#pragma GCC unroll 6
      for (int i = 0; i < kInputs; ++i) {
        transform_weights(chunk + column, count, i, s.weights);
        for (Index j = 0; j < kInputs; ++j) {
          const auto f = i * kInputs + j;
          multiply({from.data + f * from.frequency_stride + first, p.in_channels, s.weights + j * kIn * kColumns,
                    s.sums + f * rows * kOut + column, rows, count, first == 0});
        }
      }
    }
  }
}

// Writes the 4x4 outputs of one tile, `channels` of them from channel `channel` on.
template <typename T>
struct TileWriter {
  const ConvProblem& p;
  Index batch, y, x;

  Index pixel(Index i, Index j) const { return ((batch * p.height + y + i) * p.width + x + j) * p.out_channels; }

  FJORD_INLINE void write(const float* sums, Index stride, Index channel, Index channels) const {
    Vec rows[kOutputs][kInputs];
    for (int j = 0; j < kInputs; ++j) {
      Vec m[kInputs], out[kOutputs];
      for (int i = 0; i < kInputs; ++i) m[i] = load(sums + (i * kInputs + j) * stride);
      transform_output(m, out);
      for (int i = 0; i < kOutputs; ++i) rows[i][j] = out[i];
    }
    const bool whole = channels >= kLanes;
    const auto read = [&](const auto* from) { return whole ? load(from) : load_some(from, channels); };
    const Vec bias = p.bias != nullptr ? read(p.bias + batch * p.bias_batch_stride + channel) : Vec{};
    const Vec scale = p.weight_scale != nullptr ? read(p.weight_scale + channel) : broadcast(1.0f);
    for (Index i = 0; i < kOutputs && y + i < p.height; ++i) {
      Vec out[kOutputs];
      transform_output(rows[i], out);
      for (Index j = 0; j < kOutputs && x + j < p.width; ++j) {
        const auto at = pixel(i, j) + channel;
        Vec result = out[j] * scale + bias;
        if (p.residual != nullptr) result += read(static_cast<const T*>(p.residual) + at);
        if (whole) {
          store(static_cast<T*>(p.out) + at, result);
        } else {
          store_some(static_cast<T*>(p.out) + at, result, channels);
        }
      }
    }
  }
};

template <typename T, typename Weight>
void output_item(const ConvProblem& p, const ConvTiles& tiles, Index item, void* scratch) {
  const Sums s(scratch);
  const Grid grid(p);
  const auto blocks = (tiles.count + kTiles - 1) / kTiles;
  const auto first_tile = item % blocks * kTiles, first_channel = item / blocks * kOut;
  const auto rows = least(kTiles, tiles.count - first_tile);
  const auto* packed = static_cast<const Weight*>(p.weight) + first_channel * p.in_channels * kTaps;
  sum_channels(p, Transformed(p, tiles, first_tile), rows, packed, s);
  const auto channels = least(kOut, p.out_channels - first_channel);
  for (Index row = 0; row < rows; ++row) {
    const auto tile = tiles.begin + first_tile + row;
    const TileWriter<T> writer{p, grid.batch(tile), grid.y(tile), grid.x(tile)};
    for (Index c = 0; c < channels; c += kLanes) {
      writer.write(s.sums + row * kOut + c, rows * kOut, first_channel + c, channels - c);
    }
  }
}

template <typename T>
void input_item(const ConvProblem& p, const ConvTiles& tiles, Index item) {
  const Grid grid(p);
  const auto end = least(tiles.count, (item + 1) * kTilesOfInputItem);
  for (auto tile = item * kTilesOfInputItem; tile < end; ++tile) {
    transform_tile<T>(p, grid, tiles.begin + tile, Transformed(p, tiles, tile));
  }
}

// [out, in, tap] -> [block of kOut][in][tap][channel of the block], zeros behind the last channel.
template <typename T>
void pack(const void* weight, Index out_channels, Index in_channels, void* packed) {
  const auto row = in_channels * kTaps;
  for (Index first = 0; first < out_channels; first += kOut) {
    transpose_rows(static_cast<const T*>(weight) + first * row, {row, least(kOut, out_channels - first), row},
                   static_cast<T*>(packed) + first * row, {kOut, kOut});
  }
}

Index blocks_of_outputs(Index out_channels) { return (out_channels + kOut - 1) / kOut; }

}  // namespace

namespace FJORD_ISA {

Index pack_conv_size(Index out_channels, Index in_channels) {
  return blocks_of_outputs(out_channels) * kOut * in_channels * kTaps;
}

void pack_conv(const void* weight, int bytes, Index out_channels, Index in_channels, void* packed) {
  switch (bytes) {
    case 1: return pack<std::uint8_t>(weight, out_channels, in_channels, packed);
    case 2: return pack<BFloat16>(weight, out_channels, in_channels, packed);
    default: return pack<Word>(weight, out_channels, in_channels, packed);
  }
}

Index conv_transformed_floats(const ConvProblem& p, Index tiles) { return kFrequencies * tiles * p.in_channels; }

Index conv_input_items(const ConvProblem&, const ConvTiles& tiles) {
  return (tiles.count + kTilesOfInputItem - 1) / kTilesOfInputItem;
}

void conv_input(const ConvProblem& p, const ConvTiles& tiles, Index item) {
  p.element == Element::kFloat32 ? input_item<float>(p, tiles, item) : input_item<BFloat16>(p, tiles, item);
}

Index conv_output_items(const ConvProblem& p, const ConvTiles& tiles) {
  return (tiles.count + kTiles - 1) / kTiles * blocks_of_outputs(p.out_channels);
}

size_t conv_output_scratch(const ConvProblem&) { return Sums::kSize; }

void conv_output(const ConvProblem& p, const ConvTiles& tiles, Index item, void* scratch) {
  const bool int8 = p.kind == WeightKind::kInt8;
  if (p.element == Element::kFloat32) {
    int8 ? output_item<float, std::int8_t>(p, tiles, item, scratch)
         : output_item<float, float>(p, tiles, item, scratch);
  } else {
    int8 ? output_item<BFloat16, std::int8_t>(p, tiles, item, scratch)
         : output_item<BFloat16, BFloat16>(p, tiles, item, scratch);
  }
}

}  // namespace FJORD_ISA
}  // namespace fjord::kernels
