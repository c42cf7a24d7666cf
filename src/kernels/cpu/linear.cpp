// Linear layers on weights in panels of kColumns outputs.
#include "kernels/cpu/activation.h"
#include "kernels/cpu/table.h"
#include "kernels/cpu/tile.h"

namespace fjord::kernels {
namespace {

constexpr Index kRowsOfItem = 16 * kRows;
constexpr Index kStep = 256;  // words of a row between two visits of the sums

// A gated panel holds values in its first half and their gates in the second.
struct Shape {
  Index words;        // of a row of x
  Index panel_width;  // outputs of a panel
  Index panels;
  explicit Shape(const LinearProblem& p)
      : words(p.element == Element::kFloat32 ? p.in_features : p.in_features / 2),
        panel_width(p.gated ? kColumns / 2 : kColumns),
        panels((p.out_features + panel_width - 1) / panel_width) {}
};

// The row of the weight behind a panel's column, or -1 behind the last one.
Index weight_row(const LinearProblem& p, Index panel_width, Index panel, Index column) {
  const auto out = panel * panel_width + column % panel_width;
  if (out >= p.out_features) return -1;
  return column < panel_width ? out : p.out_features + out;
}

void pack(const LinearProblem& p, const Word* weight, Word* packed) {
  const Shape shape(p);
  for (Index panel = 0; panel < shape.panels; ++panel, packed += shape.words * kColumns) {
    for (Index column = 0; column < kColumns; ++column) {
      const auto row = weight_row(p, shape.panel_width, panel, column);
      for (Index k = 0; k < shape.words; ++k) {
        packed[k * kColumns + column] = row < 0 ? 0 : load_as<Word>(weight + row * shape.words + k);
      }
    }
  }
}

template <typename T>
struct Writer {
  const LinearProblem& p;
  Index panel;

  FJORD_INLINE Vec biased(Vec v, Index out, Index bias_offset, Index count) const {
    if (p.bias == nullptr) return v;
    const auto* bias = p.bias + bias_offset + out;
    return v + (count == kLanes ? load(bias) : load_some(bias, count));
  }

  FJORD_INLINE void write_vector(Index row, Index out, Index count, Vec v) const {
    const bool whole = count == kLanes;
    if (p.residual != nullptr) {
      const auto* from = static_cast<const T*>(p.residual) + row * p.residual_stride + out;
      v += whole ? load(from) : load_some(from, count);
    }
    auto* to = static_cast<T*>(p.out) + row * p.out_features + out;
    whole ? store(to, v) : store_some(to, v, count);
  }

  FJORD_INLINE void write(Index row, const Vec (&sums)[kVectors]) const {
    const auto width = p.gated ? kColumns / 2 : kColumns;
    for (Index i = 0; i < width / kLanes; ++i) {
      const auto out = panel * width + i * kLanes;
      const auto count = least(kLanes, p.out_features - out);
      if (count <= 0) return;
      Vec v = biased(sums[i], out, 0, count);
      if (p.gated) {
        v *= gelu(biased(sums[i + kVectors / 2], out, p.out_features, count));
      } else if (p.activation != Activation::kNone) {
        v = activate(p.activation, v);
      }
      write_vector(row, out, count, v);
    }
  }
};

template <typename Math, typename T>
void multiply_panel(const LinearProblem& p, Index first_row, Index panel, float* sums) {
  const Shape shape(p);
  const auto rows = least(kRowsOfItem, p.rows - first_row);
  const auto* x = reinterpret_cast<const Word*>(static_cast<const T*>(p.x) + first_row * p.in_features);
  const auto* b = static_cast<const Word*>(p.weight) + panel * shape.words * kColumns;
  const Writer<T> writer{p, panel};
  for (Index k = 0; k < shape.words; k += kStep) {
    const auto steps = least(kStep, shape.words - k);
    const bool last = k + steps == shape.words;
    for_row_groups(rows, [&]<int n>(Index row) {
      Tile<n> tile;
      float* c = sums + row * kColumns;
      if (k == 0) {
        tile.zero();
      } else {
        tile.load_from(c, kColumns);
      }
      accumulate<Math>(tile, x + row * shape.words + k, shape.words, 1, b + k * kColumns, steps);
      if (last) {
        for (int r = 0; r < n; ++r) writer.write(first_row + row + r, tile.sums[r]);
      } else {
        tile.store_to(c, kColumns);
      }
    });
  }
}

}  // namespace

namespace FJORD_ISA {

Index pack_linear_bytes(const LinearProblem& p) {
  const Shape shape(p);
  return shape.panels * shape.words * kColumns * static_cast<Index>(sizeof(Word));
}

void pack_linear(const LinearProblem& p, const void* weight, void* packed) {
  pack(p, static_cast<const Word*>(weight), static_cast<Word*>(packed));
}

Index linear_items(const LinearProblem& p) { return (p.rows + kRowsOfItem - 1) / kRowsOfItem * Shape(p).panels; }

size_t linear_scratch(const LinearProblem&) { return sizeof(float) * kRowsOfItem * kColumns; }

void linear(const LinearProblem& p, Index item, void* scratch) {
  const auto panels = Shape(p).panels;
  const auto first_row = item / panels * kRowsOfItem, panel = item % panels;
  auto* sums = static_cast<float*>(scratch);
  p.element == Element::kFloat32 ? multiply_panel<FloatMath, float>(p, first_row, panel, sums)
                                 : multiply_panel<BFloat16Math, BFloat16>(p, first_row, panel, sums);
}

}  // namespace FJORD_ISA
}  // namespace fjord::kernels
