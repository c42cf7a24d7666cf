// Vectors of the instruction set that this file is compiled for, and what all kernels do with them. GCC's vector
// extensions: + - * / work by element, a * b + c becomes one fused instruction where there is one.
// Everything is local to the including file, and the kernels call no inline function of the standard library: the
// linker would keep one copy of it for all instruction sets.
#pragma once

#include "kernels/cpu/kernels.h"

#include <cstring>
#if defined(__AVX512BF16__) || defined(__SSE2__)
#include <immintrin.h>
#endif

namespace fjord::kernels {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
constexpr int kVectors = 4;  // vectors in a row of a register tile
constexpr int kRows = 6;     // rows of a register tile
#elif defined(__AVX2__)
constexpr int kLanes = 8;
constexpr int kVectors = 2;
constexpr int kRows = 6;
#else
constexpr int kLanes = 4;
constexpr int kVectors = 2;
constexpr int kRows = 4;
#endif
constexpr int kColumns = kVectors * kLanes;

using Word = std::uint32_t;  // a float32, or two bfloat16
using BFloat16 = std::uint16_t;

typedef float Vec __attribute__((vector_size(kLanes * 4)));
typedef Word WordVec __attribute__((vector_size(kLanes * 4)));
typedef std::int32_t IntVec __attribute__((vector_size(kLanes * 4)));
typedef BFloat16 HalfVec __attribute__((vector_size(kLanes * 2)));
typedef std::int16_t ShortVec __attribute__((vector_size(kLanes * 2)));
typedef std::int8_t ByteVec __attribute__((vector_size(kLanes)));

#define FJORD_INLINE __attribute__((always_inline)) inline

template <typename V>
FJORD_INLINE V load_as(const void* from) {
  V v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

FJORD_INLINE Vec load(const float* from) { return load_as<Vec>(from); }
FJORD_INLINE void store(float* to, Vec v) { std::memcpy(to, &v, sizeof v); }
FJORD_INLINE Vec broadcast(float x) { return x - Vec{}; }

// Round to nearest even, as LibTorch does. NaN keeps being NaN.
FJORD_INLINE BFloat16 to_bfloat16(float x) {
  Word bits;
  std::memcpy(&bits, &x, 4);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<BFloat16>((bits >> 16) | 0x40);
  return static_cast<BFloat16>((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}

FJORD_INLINE float to_float(BFloat16 x) {
  const Word bits = static_cast<Word>(x) << 16;
  float out;
  std::memcpy(&out, &bits, 4);
  return out;
}

// The upper halves of the words after rounding.
FJORD_INLINE WordVec rounded_bits(Vec v) {
  const auto bits = reinterpret_cast<WordVec>(v);
  const auto nan = reinterpret_cast<WordVec>(v != v);
  return (bits + ((0x7fffu + ((bits >> 16) & 1)) & ~nan)) | (nan & 0x400000u);
}

// GCC 12 takes the general conversions between words and their parts apart into many steps, and warns of the plain
// intrinsics.
FJORD_INLINE WordVec to_words(HalfVec v) {
#if defined(__AVX512F__)
  return reinterpret_cast<WordVec>(_mm512_maskz_cvtepu16_epi32(0xffff, reinterpret_cast<__m256i>(v)));
#else
  return __builtin_convertvector(v, WordVec);
#endif
}

FJORD_INLINE IntVec to_words(ShortVec v) {
#if defined(__AVX512F__)
  return reinterpret_cast<IntVec>(_mm512_maskz_cvtepi16_epi32(0xffff, reinterpret_cast<__m256i>(v)));
#else
  return __builtin_convertvector(v, IntVec);
#endif
}

// The low bits of every word.
template <typename T>
FJORD_INLINE void store_low_bits(WordVec words, T* to) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 1) {
    const auto bytes = _mm512_maskz_cvtepi32_epi8(0xffff, reinterpret_cast<__m512i>(words));
    std::memcpy(to, &bytes, sizeof bytes);
    return;
  }
  if constexpr (sizeof(T) == 2) {
    const auto halves = _mm512_maskz_cvtepi32_epi16(0xffff, reinterpret_cast<__m512i>(words));
    std::memcpy(to, &halves, sizeof halves);
    return;
  }
#endif
  typedef T Parts __attribute__((vector_size(kLanes * sizeof(T))));
  const auto parts = __builtin_convertvector(words, Parts);
  std::memcpy(to, &parts, sizeof parts);
}

FJORD_INLINE Vec load(const BFloat16* from) { return reinterpret_cast<Vec>(to_words(load_as<HalfVec>(from)) << 16); }

FJORD_INLINE IntVec load_bytes(const std::int8_t* from) {
#if defined(__AVX512F__)
  return reinterpret_cast<IntVec>(_mm512_maskz_cvtepi8_epi32(0xffff, load_as<__m128i>(from)));
#elif defined(__AVX2__)
  return reinterpret_cast<IntVec>(_mm256_cvtepi8_epi32(_mm_cvtsi64_si128(load_as<long long>(from))));
#else
  return __builtin_convertvector(load_as<ByteVec>(from), IntVec);
#endif
}

FJORD_INLINE Vec load(const std::int8_t* from) { return __builtin_convertvector(load_bytes(from), Vec); }

FJORD_INLINE HalfVec to_bfloat16(Vec v) {
#ifdef __AVX512BF16__
  return reinterpret_cast<HalfVec>(_mm512_cvtneps_pbh(reinterpret_cast<__m512>(v)));
#else
  return __builtin_convertvector(rounded_bits(v) >> 16, HalfVec);
#endif
}

FJORD_INLINE void store(BFloat16* to, Vec v) {
  const auto half = to_bfloat16(v);
  std::memcpy(to, &half, sizeof half);
}

FJORD_INLINE float load_one(const float* from) { return *from; }
FJORD_INLINE float load_one(const BFloat16* from) { return to_float(*from); }
FJORD_INLINE void store_one(float* to, float x) { *to = x; }
FJORD_INLINE void store_one(BFloat16* to, float x) { *to = to_bfloat16(x); }

// The first `count` elements; the others are 0.
#if defined(__AVX512BW__) && defined(__AVX512VL__)
FJORD_INLINE __mmask16 first_lanes(Index count) { return static_cast<__mmask16>((1u << count) - 1); }

FJORD_INLINE Vec load_some(const float* from, Index count) {
  return reinterpret_cast<Vec>(_mm512_maskz_loadu_ps(first_lanes(count), from));
}

FJORD_INLINE Vec load_some(const BFloat16* from, Index count) {
  const auto half = reinterpret_cast<HalfVec>(_mm256_maskz_loadu_epi16(first_lanes(count), from));
  return reinterpret_cast<Vec>(to_words(half) << 16);
}

FJORD_INLINE void store_some(float* to, Vec v, Index count) {
  _mm512_mask_storeu_ps(to, first_lanes(count), reinterpret_cast<__m512>(v));
}

FJORD_INLINE void store_some(BFloat16* to, Vec v, Index count) {
  _mm256_mask_storeu_epi16(to, first_lanes(count), reinterpret_cast<__m256i>(to_bfloat16(v)));
}
#else
template <typename T>
FJORD_INLINE Vec load_some(const T* from, Index count) {
  T buffer[kLanes] = {};
  std::memcpy(buffer, from, static_cast<size_t>(count) * sizeof(T));
  return load(buffer);
}

template <typename T>
FJORD_INLINE void store_some(T* to, Vec v, Index count) {
  T buffer[kLanes];
  store(buffer, v);
  std::memcpy(to, buffer, static_cast<size_t>(count) * sizeof(T));
}
#endif

// `from` and `to` do not overlap.
FJORD_INLINE void widen(const BFloat16* from, Index count, float* to) {
  if (count < kLanes) return store_some(to, load_some(from, count), count);
  for (Index i = 0; i + kLanes < count; i += kLanes) store(to + i, load(from + i));
  store(to + count - kLanes, load(from + count - kLanes));
}

FJORD_INLINE Index least(Index a, Index b) { return a < b ? a : b; }

FJORD_INLINE Vec select(IntVec condition, Vec a, Vec b) { return condition ? a : b; }
FJORD_INLINE Vec max(Vec a, Vec b) { return a > b ? a : b; }
FJORD_INLINE Vec min(Vec a, Vec b) { return a < b ? a : b; }

// Of the four signed bytes of every word.
FJORD_INLINE IntVec sum_of_bytes(IntVec words) {
  return ((words << 24) >> 24) + ((words << 16) >> 24) + ((words << 8) >> 24) + (words >> 24);
}

FJORD_INLINE float sum(Vec v) {
  float out = 0;
  for (int i = 0; i < kLanes; ++i) out += v[i];
  return out;
}

// 2^x. Below -126 it gives 2^-126, above 127 it gives 2^127. Minimax polynomial of 2^f, |f| <= 1/2: relative error 1e-7
// with 5 powers, 8e-5 with 3.
template <int kPowers>
FJORD_INLINE Vec exp2_series(Vec f);

template <>
FJORD_INLINE Vec exp2_series<5>(Vec f) {
  Vec y = broadcast(0.00132764720f);
  for (const float c : {0.00967554138f, 0.0555071327f, 0.240221197f, 0.693146967f, 1.00000007f})
    y = y * f + broadcast(c);
  return y;
}

template <>
FJORD_INLINE Vec exp2_series<3>(Vec f) {
  Vec y = broadcast(0.0551716695f);
  for (const float c : {0.242611125f, 0.693260986f, 0.999928073f}) y = y * f + broadcast(c);
  return y;
}

// Added to a number of magnitude below 2^22 it leaves the nearest whole number in the low bits of the word.
constexpr float kRoundToBits = 12582912.0f;  // 1.5 * 2^23

template <int kPowers>
FJORD_INLINE Vec exp2_within(Vec x) {
  const Vec magic = broadcast(kRoundToBits);
  const Vec shifted = x + magic;
  const Vec y = exp2_series<kPowers>(x - (shifted - magic));
  return reinterpret_cast<Vec>(reinterpret_cast<WordVec>(y) + (reinterpret_cast<WordVec>(shifted) << 23));
}

template <int kPowers>
FJORD_INLINE Vec exp2(Vec x) {
  return exp2_within<kPowers>(min(max(x, broadcast(-126.0f)), broadcast(127.0f)));
}

// Likewise for x <= 1.
template <int kPowers>
FJORD_INLINE Vec exp2_of_negative(Vec x) {
  return exp2_within<kPowers>(max(x, broadcast(-126.0f)));
}

FJORD_INLINE Vec exp(Vec x) { return exp2<5>(x * broadcast(1.44269504f)); }

// Transposes kLanes vectors in place (Eklundh's exchange of blocks).
FJORD_INLINE void transpose(Vec (&rows)[kLanes]) {
#pragma GCC unroll 8
  for (int s = 1; s < kLanes; s *= 2) {
    IntVec low, high;
    for (int j = 0; j < kLanes; ++j) {
      low[j] = (j & s) != 0 ? (j ^ s) + kLanes : j;
      high[j] = (j & s) != 0 ? j + kLanes : (j ^ s);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      if ((i & s) != 0) continue;
      const Vec a = rows[i], b = rows[i + s];
      rows[i] = __builtin_shuffle(a, b, low);
      rows[i + s] = __builtin_shuffle(a, b, high);
    }
  }
}

}  // namespace
}  // namespace fjord::kernels
