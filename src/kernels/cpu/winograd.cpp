// 3x3 convolution by Winograd's F(4x4, 3x3): a tile of 4x4 outputs takes 36 multiplications a channel instead of 144.
// The five finite points are 0, +-3/4, +-3/2: with them the error in float32 is 1.5 times that of the direct sum (with
// the usual 0, +-1, +-2 it is 3.5 times). Weights are transformed block by block while they are used, so that they
// take no more memory than they have elements.
#include "kernels/cpu/table.h"
#include "kernels/cpu/winograd_float.h"
#include "kernels/cpu/winograd_short.h"

namespace fjord::kernels {
namespace {

// How the products of a problem are made.
template <typename T>
struct ProductsOf {
  using Type = FloatProducts;
};
#ifdef FJORD_SHORT_PRODUCTS
template <>
struct ProductsOf<BFloat16> {
  using Type = ShortProducts;
};
#endif

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

template <typename T>
void output_item(const ConvProblem& p, const ConvTiles& tiles, Index item, void* scratch) {
  const Sums s(scratch);
  const Grid grid(p);
  const auto blocks = (tiles.count + kTiles - 1) / kTiles;
  const auto first_tile = item % blocks * kTiles, first_channel = item / blocks * kOut;
  const auto rows = least(kTiles, tiles.count - first_tile);
  const auto* panel = static_cast<const char*>(p.weight) + first_channel / kOut * panel_of(p).bytes();
  using Products = typename ProductsOf<T>::Type;
  Products::sum_channels(p, typename Products::Transformed(p, tiles, first_tile), rows, panel, s);
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
    using Products = typename ProductsOf<T>::Type;
    Products::template transform_tile<T>(p, grid, tiles.begin + tile, typename Products::Transformed(p, tiles, tile));
  }
}

Index blocks_of_outputs(Index out_channels) { return (out_channels + kOut - 1) / kOut; }

}  // namespace

namespace FJORD_ISA {

Index pack_conv_bytes(const ConvProblem& p) { return blocks_of_outputs(p.out_channels) * panel_of(p).bytes(); }

void pack_conv(const ConvProblem& p, const WeightRows& weight, void* packed) {
  auto* panel = static_cast<char*>(packed);
  for (Index first = 0; first < p.out_channels; first += kOut, panel += panel_of(p).bytes()) {
    pack_columns(panel_of(p), weight, {first, least(kOut, p.out_channels - first), 0, kOut}, panel);
  }
}

Index conv_transformed_floats(const ConvProblem& p, Index tiles) {
  return tiles * (p.element == Element::kFloat32 ? ProductsOf<float>::Type::floats_of_tile(p)
                                                 : ProductsOf<BFloat16>::Type::floats_of_tile(p));
}

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
  p.element == Element::kFloat32 ? output_item<float>(p, tiles, item, scratch)
                                 : output_item<BFloat16>(p, tiles, item, scratch);
}

}  // namespace FJORD_ISA
}  // namespace fjord::kernels
