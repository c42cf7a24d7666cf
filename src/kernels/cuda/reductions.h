// Sums and maxima over a warp or a block, in a fixed order; vectors of 16 bytes to float32 and back.
#pragma once

#include "kernels/cuda/layout.h"

#include <math.h>  // fmaxf and its like, which nvcc and the host both have

namespace fjord::kernels::cuda {

struct Sum {
  FJORD_BOTH static float of(float a, float b) { return a + b; }
};
struct Maximum {
  FJORD_BOTH static float of(float a, float b) { return fmaxf(a, b); }
};

// The same in every lane.
template <typename Operation, typename Hw>
FJORD_DEVICE float reduce_warp(Hw& hw, float x) {
  FJORD_UNROLL
  for (int mask = kWarp / 2; mask > 0; mask /= 2) x = Operation::of(x, hw.shuffle_xor(x, mask));
  return x;
}

// The same in every thread of a block of kThreads, by way of kThreads / 32 floats at the beginning of shared memory.
template <typename Operation, int kThreads, typename Hw>
FJORD_DEVICE float reduce_block(Hw& hw, float x) {
  const auto slot = [](int warp) { return static_cast<unsigned>(warp * static_cast<int>(sizeof(float))); };
  x = reduce_warp<Operation>(hw, x);
  hw.barrier();  // whoever used the memory before is done
  if (hw.lane() == 0) hw.store_shared(slot(hw.thread() / kWarp), x);
  hw.barrier();
  x = hw.template load_shared<float>(slot(0));
  FJORD_UNROLL
  for (int warp = 1; warp < kThreads / kWarp; ++warp) x = Operation::of(x, hw.template load_shared<float>(slot(warp)));
  return x;
}

template <Element kElement, typename Hw>
FJORD_DEVICE void unpack(Hw& hw, const Vector& v, float (&x)[ElementTraits<kElement>::kVector]) {
  FJORD_UNROLL
  for (int i = 0; i < 4; ++i) {
    if constexpr (kElement == Element::kFloat32) {
      x[i] = hw.as_float(v.words[i]);
    } else {
      hw.template unpack<kElement>(v.words[i], x[2 * i], x[2 * i + 1]);
    }
  }
}

template <Element kElement, typename Hw>
FJORD_DEVICE Vector pack(Hw& hw, const float (&x)[ElementTraits<kElement>::kVector]) {
  Vector v;
  FJORD_UNROLL
  for (int i = 0; i < 4; ++i) {
    if constexpr (kElement == Element::kFloat32) {
      v.words[i] = hw.as_word(x[i]);
    } else {
      v.words[i] = hw.template pack<kElement>(x[2 * i], x[2 * i + 1]);
    }
  }
  return v;
}

// Vector number `i` of an array of elements.
FJORD_BOTH const void* vector_at(const void* data, Index i) { return static_cast<const char*>(data) + i * kChunkBytes; }
FJORD_BOTH void* vector_at(void* data, Index i) { return static_cast<char*>(data) + i * kChunkBytes; }

template <Element kElement, typename Hw>
FJORD_DEVICE void load_vector(Hw& hw, const void* data, Index i, float (&x)[ElementTraits<kElement>::kVector]) {
  unpack<kElement>(hw, hw.template load_global<Vector>(vector_at(data, i)), x);
}

// Reads a single element; element number `i` of an array.
template <Element kElement, typename Hw>
FJORD_DEVICE float load_element(Hw& hw, const void* data, Index i) {
  if constexpr (kElement == Element::kFloat32) {
    return hw.template load_global<float>(static_cast<const float*>(data) + i);
  } else {
    float x, zero;
    hw.template unpack<kElement>(hw.template load_global<std::uint16_t>(static_cast<const std::uint16_t*>(data) + i), x,
                                 zero);
    return x;
  }
}

template <Element kElement, typename Hw>
FJORD_DEVICE void store_element(Hw& hw, void* data, Index i, float x) {
  if constexpr (kElement == Element::kFloat32) {
    hw.store_global(static_cast<float*>(data) + i, x);
  } else {
    hw.store_global(static_cast<std::uint16_t*>(data) + i,
                    static_cast<std::uint16_t>(hw.template pack<kElement>(x, 0.0F) & 0xffffU));
  }
}

}  // namespace fjord::kernels::cuda
