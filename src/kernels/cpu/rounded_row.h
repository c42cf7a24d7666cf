// A row of numbers rounded to whole numbers with a factor of its own.
#pragma once

#include "kernels/cpu/simd.h"

namespace fjord::kernels {
namespace {

template <typename T>
FJORD_INLINE Vec read_vector(const T* row, Index at, Index length) {
  return at + kLanes <= length ? load(row + at) : load_some(row + at, length - at);
}

FJORD_INLINE Vec magnitude(Vec v) { return max(v, -v); }

FJORD_INLINE float greatest_of(Vec v) {
#pragma GCC unroll 4
  for (int s = kLanes / 2; s > 0; s /= 2) {
    IntVec other;
    for (int j = 0; j < kLanes; ++j) other[j] = j ^ s;
    v = max(v, __builtin_shuffle(v, other));
  }
  return v[0];
}

// to[i] = x[i] / factor to the nearest, plus the zero point, where the factor brings the largest |x| to 127; zeros
// from `length` to `size`, less than a word away. read(i) gives the vector at i, 0 beyond the end.
template <typename Number, typename Read>
FJORD_INLINE void round_row(const Read& read, Index length, Index size, Word zero_point, Number* to, float* factor) {
  Vec top{};
  for (Index c = 0; c < length; c += kLanes) top = max(top, magnitude(read(c)));
  const float greatest = greatest_of(top);
  *factor = greatest / 127;
  const Vec inverse = broadcast(greatest > 0 ? 127 / greatest : 0);
  const Vec magic = broadcast(kRoundToBits + static_cast<float>(zero_point));
  const auto write = [&](Vec v, Number* numbers) {
    store_low_bits(reinterpret_cast<WordVec>(v * inverse + magic), numbers);
  };
  Index c = 0;
  for (; c + kLanes <= length; c += kLanes) write(read(c), to + c);
  if (c < size) {
    Number last[kLanes];
    write(c < length ? read(c) : Vec{}, last);
    std::memcpy(to + c, last, static_cast<size_t>(size - c) * sizeof(Number));
  }
}

}  // namespace
}  // namespace fjord::kernels
