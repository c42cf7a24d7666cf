// Rows turned into columns.
#pragma once

#include "kernels/cpu/simd.h"

namespace fjord::kernels {
namespace {

struct RowsIn {
  Index stride;  // elements from one row to the next
  Index count;
  Index length;  // elements of a row
};

struct RowsOut {
  Index stride;  // elements from one row to the next
  Index length;  // written of each row, a multiple of kLanes; those without a row of the input become 0
};

// kLanes words of a column each -> the elements in them, row by row. T is an unsigned or signed whole number.
template <typename T>
FJORD_INLINE void store_parts(WordVec words, T* to, Index stride) {
  for (size_t i = 0; i < sizeof(Word) / sizeof(T); ++i) {
    store_low_bits(words >> static_cast<Word>(8 * sizeof(T) * i), to + static_cast<Index>(i) * stride);
  }
}

// to[c][r] = from[r][c], for elements of 1, 2 or 4 bytes.
template <typename T>
void transpose_rows(const T* from, const RowsIn& in, T* to, const RowsOut& out) {
  constexpr Index kStep = kLanes * static_cast<Index>(sizeof(Word) / sizeof(T));
  if (in.length < kStep) {
    for (Index c = 0; c < in.length; ++c) {
      for (Index r = 0; r < out.length; ++r) to[c * out.stride + r] = r < in.count ? from[r * in.stride + c] : T{};
    }
    return;
  }
  for (Index r = 0; r < out.length; r += kLanes) {
    for (Index c = 0; c < in.length; c += kStep) {
      const auto first = least(c, in.length - kStep);
      Vec rows[kLanes];
      for (int i = 0; i < kLanes; ++i) {
        rows[i] = r + i < in.count ? load_as<Vec>(from + (r + i) * in.stride + first) : Vec{};
      }
      transpose(rows);
      for (int i = 0; i < kLanes; ++i) {
        const auto at = first + i * static_cast<Index>(sizeof(Word) / sizeof(T));
        store_parts(reinterpret_cast<WordVec>(rows[i]), to + at * out.stride + r, out.stride);
      }
    }
  }
}

}  // namespace
}  // namespace fjord::kernels
