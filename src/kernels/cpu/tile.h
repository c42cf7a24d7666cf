// The register tile that attention and convolution are built from: kCount rows of kColumns float32 sums.
#pragma once

#include "kernels/cpu/simd.h"

namespace fjord::kernels {
namespace {

template <int kCount>
struct Tile {
  Vec sums[kCount][kVectors];

  FJORD_INLINE void zero() {
    for (auto& row : sums) {
      for (auto& v : row) v = Vec{};
    }
  }
  FJORD_INLINE void load_from(const float* from, Index row_stride) {
#pragma GCC unroll 8
    for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) sums[r][i] = load(from + r * row_stride + i * kLanes);
    }
  }
  FJORD_INLINE void store_to(float* to, Index row_stride) const {
#pragma GCC unroll 8
    for (int r = 0; r < kCount; ++r) {
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) store(to + r * row_stride + i * kLanes, sums[r][i]);
    }
  }
};

// How one step multiplies: a word of A with a vector of words of B.
struct FloatMath {
  static FJORD_INLINE Vec multiply_add(Vec sum, Word a, WordVec b) {
    float x;
    std::memcpy(&x, &a, 4);
    return broadcast(x) * reinterpret_cast<Vec>(b) + sum;
  }
};

struct BFloat16Math {  // two products a step, summed in float32
  static FJORD_INLINE Vec multiply_add(Vec sum, Word a, WordVec b) {
#ifdef __AVX512BF16__
    const auto pair = _mm512_set1_epi32(static_cast<int>(a));
    return reinterpret_cast<Vec>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(pair),
                                                  reinterpret_cast<__m512bh>(b)));
#else
    const WordVec pair = a - WordVec{};
    const Vec low = reinterpret_cast<Vec>(pair << 16) * reinterpret_cast<Vec>(b << 16) + sum;
    return reinterpret_cast<Vec>(pair & 0xffff0000u) * reinterpret_cast<Vec>(b & 0xffff0000u) + low;
#endif
  }
};

struct Int8Math {  // four products a step, summed in int32: bytes of A from 0 to 255, of B from -128 to 127
#if defined(__AVX512VNNI__)
  // Not the intrinsic: with it GCC 12 copies every sum before it adds to it.
  static FJORD_INLINE Vec multiply_add(Vec sum, Word a, WordVec b) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a - WordVec{}), "v"(b));
    return sum;
  }
#else
  typedef std::int16_t ShortVec __attribute__((vector_size(kLanes * 4)));

  // Sums of neighbouring products.
  static FJORD_INLINE IntVec multiply_pairs(WordVec a, ShortVec b) {
#if defined(__AVX512BW__)
    return reinterpret_cast<IntVec>(_mm512_madd_epi16(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
    return reinterpret_cast<IntVec>(_mm256_madd_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
    return reinterpret_cast<IntVec>(_mm_madd_epi16(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
    const auto x = reinterpret_cast<IntVec>(a), y = reinterpret_cast<IntVec>(b);
    return (x & 0xffff) * ((y << 16) >> 16) + (x >> 16) * (y >> 16);
#endif
  }
  static FJORD_INLINE Vec multiply_add(Vec sum, Word a, WordVec b) {
    const auto bytes = reinterpret_cast<ShortVec>(b);
    const IntVec even = multiply_pairs((a & 0x00ff00ffu) - WordVec{}, (bytes << 8) >> 8);
    const IntVec odd = multiply_pairs(((a >> 8) & 0x00ff00ffu) - WordVec{}, bytes >> 8);
    return reinterpret_cast<Vec>(reinterpret_cast<IntVec>(sum) + even + odd);
  }
#endif
};

// tile += A B over `steps` words: A(r, s) = a[r * a_row + s * a_step], B(s, column) = b[s * kColumns + column].
template <typename Math, int kCount>
FJORD_INLINE void accumulate(Tile<kCount>& tile, const Word* a, Index a_row, Index a_step, const Word* b, Index steps) {
  for (Index s = 0; s < steps; ++s, a += a_step, b += kColumns) {
    WordVec columns[kVectors];
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) columns[i] = load_as<WordVec>(b + i * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kCount; ++r) {
      const Word x = load_as<Word>(a + r * a_row);
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) tile.sums[r][i] = Math::multiply_add(tile.sums[r][i], x, columns[i]);
    }
  }
}

// Calls f.template operator()<n>(row) for `rows` rows in groups of n <= kRows.
template <typename F>
FJORD_INLINE void for_row_groups(Index rows, F&& f) {
  Index row = 0;
  for (; row + kRows <= rows; row += kRows) f.template operator()<kRows>(row);
  switch (rows - row) {
    case 1: return f.template operator()<1>(row);
    case 2: return f.template operator()<2>(row);
    case 3: return f.template operator()<3>(row);
    case 4:
      if constexpr (kRows > 4) return f.template operator()<4>(row);
      break;
    case 5:
      if constexpr (kRows > 5) return f.template operator()<5>(row);
      break;
    default: break;
  }
}

}  // namespace
}  // namespace fjord::kernels
