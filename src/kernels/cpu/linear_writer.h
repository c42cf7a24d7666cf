// From the sums of a linear layer's item to its results.
#pragma once

#include "kernels/cpu/activation.h"

namespace fjord::kernels {
namespace {

template <typename T>
struct Writer {
  const LinearProblem& p;
  Index panel;

  static FJORD_INLINE Vec read(const float* from, Index count) {
    return count == kLanes ? load(from) : load_some(from, count);
  }

  // The sum of output `out`, which is row `row_of_weight` of the weight, as a number with its bias.
  FJORD_INLINE Vec finished(Vec v, Index row, Index row_of_weight, Index count) const {
    if (p.kind == WeightKind::kInt8Product) {
      v = __builtin_convertvector(reinterpret_cast<IntVec>(v), Vec) * broadcast(p.row_scale[row]);
    }
    if (p.weight_scale != nullptr) v *= read(p.weight_scale + row_of_weight, count);
    return p.bias != nullptr ? v + read(p.bias + row_of_weight, count) : v;
  }

  FJORD_INLINE void write_vector(Index row, Index out, Index count, Vec v) const {
    const bool whole = count == kLanes;
    if (p.residual != nullptr) {
      const auto* from = static_cast<const T*>(p.residual) + row * p.out_features + out;
      v += whole ? load(from) : load_some(from, count);
    }
    auto* to = static_cast<T*>(p.out) + row * p.out_features + out;
    whole ? store(to, v) : store_some(to, v, count);
  }

  FJORD_INLINE void write_row(Index row, const float* sums) const {
    const auto width = p.gated ? kColumns / 2 : kColumns;
    for (Index i = 0; i < width; i += kLanes) {
      const auto out = panel * width + i;
      const auto count = least(kLanes, p.out_features - out);
      if (count <= 0) return;
      Vec v = finished(load(sums + i), row, out, count);
      if (p.gated) {
        v *= gelu(finished(load(sums + width + i), row, p.out_features + out, count));
      } else if (p.activation != Activation::kNone) {
        v = activate(p.activation, v);
      }
      write_vector(row, out, count, v);
    }
  }
};

// sums: rows of kColumns.
template <typename T>
void write_rows(const LinearProblem& p, Index panel, Index first_row, Index rows, const float* sums) {
  const Writer<T> writer{p, panel};
  for (Index row = 0; row < rows; ++row, sums += kColumns) writer.write_row(first_row + row, sums);
}

}  // namespace
}  // namespace fjord::kernels
