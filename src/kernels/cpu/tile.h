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

// Whether the processor multiplies bfloat16; elsewhere it becomes float32 first, block by block.
#ifdef __AVX512BF16__
constexpr bool kMultipliesBFloat16 = true;

struct BFloat16Math {  // two products a step, summed in float32
  static FJORD_INLINE Vec multiply_add(Vec sum, Word a, WordVec b) {
    const auto pair = _mm512_set1_epi32(static_cast<int>(a));
    return reinterpret_cast<Vec>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(pair),
                                                  reinterpret_cast<__m512bh>(b)));
  }
};
#else
constexpr bool kMultipliesBFloat16 = false;
using BFloat16Math = FloatMath;
#endif

// Whole numbers, summed in int32.
#if defined(__AVX512VNNI__)
struct Int8Math {  // four products a step: bytes of A from 0 to 255, of B from -128 to 127
  // Not the intrinsic: with it GCC 12 copies every sum before it adds to it.
  static FJORD_INLINE Vec multiply_add(Vec sum, Word a, WordVec b) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a - WordVec{}), "v"(b));
    return sum;
  }
};
#endif

struct ShortMath {  // two products of 16-bit numbers a step
  // Not intrinsics: with them GCC 12 copies or spills the sums.
  static FJORD_INLINE Vec multiply_add(Vec sum, Word a, WordVec b) {
    const WordVec pair = a - WordVec{};
#if defined(__AVX512VNNI__)
    asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(pair), "v"(b));
#elif defined(__AVX512BW__)
    WordVec products;
    asm("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+v"(sum), "=&v"(products) : "v"(pair), "v"(b));
#elif defined(__AVX2__)
    WordVec products;
    asm("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(products) : "x"(pair), "x"(b));
#elif defined(__SSE2__)
    const auto products = _mm_madd_epi16(reinterpret_cast<__m128i>(pair), reinterpret_cast<__m128i>(b));
    sum = reinterpret_cast<Vec>(reinterpret_cast<IntVec>(sum) + reinterpret_cast<IntVec>(products));
#else
    const auto x = reinterpret_cast<IntVec>(pair), y = reinterpret_cast<IntVec>(b);
    const IntVec products = ((x << 16) >> 16) * ((y << 16) >> 16) + (x >> 16) * (y >> 16);
    sum = reinterpret_cast<Vec>(reinterpret_cast<IntVec>(sum) + products);
#endif
    return sum;
  }
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

// sums = initial + A B, or sums += A B.
struct Product {
  const Word* a = nullptr;  // rows of `steps` words
  Index a_row = 0;          // words from one to the next
  Index rows = 0;
  const Word* b = nullptr;
  Index steps = 0;
  float* sums = nullptr;  // rows of kColumns
  Index sums_row = 0;
  const float* initial = nullptr;  // kColumns numbers for every row; null: what the sums hold
  const char* next = nullptr;      // memory that is needed afterwards, brought nearer meanwhile
  Index next_bytes = 0;
};

// Brings a range of memory nearer, some at every call.
class Fetcher {
 public:
  Fetcher(const char* from, Index bytes, Index calls) : at_(from), lines_((bytes / kLine + calls - 1) / calls) {}
  FJORD_INLINE void fetch() {
    for (Index i = 0; i < lines_; ++i, at_ += kLine) __builtin_prefetch(at_, 0, 2);
  }

 private:
  static constexpr Index kLine = 64;
  const char* at_;
  Index lines_;
};

constexpr float kZeros[kColumns] = {};

template <typename Math>
__attribute__((noinline)) void multiply(const Product& p) {
  constexpr Index kStepsOfFetch = 16;
  const auto fetches = (p.rows + kRows - 1) / kRows * ((p.steps + kStepsOfFetch - 1) / kStepsOfFetch);
  Fetcher fetcher(p.next, p.next_bytes, fetches);
  for_row_groups(p.rows, [&]<int n>(Index row) {
    Tile<n> tile;
    float* const sums = p.sums + row * p.sums_row;
    p.initial != nullptr ? tile.load_from(p.initial, 0) : tile.load_from(sums, p.sums_row);
    const auto* a = p.a + row * p.a_row;
    for (Index k = 0; k < p.steps; k += kStepsOfFetch) {
      fetcher.fetch();
      accumulate<Math>(tile, a + k, p.a_row, 1, p.b + k * kColumns, least(kStepsOfFetch, p.steps - k));
    }
    tile.store_to(sums, p.sums_row);
  });
}

}  // namespace
}  // namespace fjord::kernels
