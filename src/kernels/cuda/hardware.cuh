// The policy `Hw` of the bodies on a GPU of compute capability 8.0 or later: one PTX instruction a function.
#pragma once

#include "kernels/cuda/layout.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstring>

namespace fjord::kernels::cuda {

class Hardware {
 public:
  // `shared`: the block's dynamic shared memory.
  __device__ explicit Hardware(void* shared)
      : generic_(static_cast<char*>(shared)), shared_(static_cast<unsigned>(__cvta_generic_to_shared(shared))) {}

  FJORD_DEVICE int thread() const { return static_cast<int>(threadIdx.x); }
  FJORD_DEVICE int lane() const { return static_cast<int>(threadIdx.x % 32); }
  FJORD_DEVICE int block_x() const { return static_cast<int>(blockIdx.x); }
  FJORD_DEVICE int block_y() const { return static_cast<int>(blockIdx.y); }
  FJORD_DEVICE int block_z() const { return static_cast<int>(blockIdx.z); }
  FJORD_DEVICE int grid_x() const { return static_cast<int>(gridDim.x); }

  FJORD_DEVICE void barrier() { __syncthreads(); }
  FJORD_DEVICE void warp_barrier() { __syncwarp(); }

  // 16 bytes in the background; zeros where the source does not exist (it is not read then).
  FJORD_DEVICE void copy_to_shared(unsigned offset, const void* source, bool exists) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_ + offset), "l"(source),
                 "r"(exists ? 16 : 0)
                 : "memory");
  }
  FJORD_DEVICE void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
  template <int kPending>
  FJORD_DEVICE void wait_for_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
  }

  FJORD_DEVICE void load_matrices(std::uint32_t (&r)[4], unsigned offset) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_ + offset)
                 : "memory");
  }
  FJORD_DEVICE void load_matrices_transposed(std::uint32_t (&r)[4], unsigned offset) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_ + offset)
                 : "memory");
  }
  FJORD_DEVICE void load_matrices_transposed(std::uint32_t (&r)[2], unsigned offset) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(r[0]), "=r"(r[1])
                 : "r"(shared_ + offset)
                 : "memory");
  }

  // c += a b on the tensor cores, 16x16 by 16x8, sums in float32.
  template <Element kElement>
  FJORD_DEVICE void multiply_add(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
    if constexpr (kElement == Element::kFloat16) {
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
          "{%0, %1, %2, %3};"
          : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
    } else {
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
          "{%0, %1, %2, %3};"
          : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
    }
  }

  FJORD_DEVICE float shuffle_xor(float x, int mask) { return __shfl_xor_sync(0xffffffffU, x, mask); }

  FJORD_DEVICE float exp2(float x) const {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
  }

  // To 2 units in the last place; 0 where b is larger than 2^126.
  FJORD_DEVICE float divide(float a, float b) const { return __fdividef(a, b); }
  FJORD_DEVICE float reciprocal_root(float x) const { return rsqrtf(x); }

  template <Element kElement>
  FJORD_DEVICE std::uint32_t pack(float low, float high) const {
    std::uint32_t word;
    if constexpr (kElement == Element::kFloat16) {
      const __half2 pair = __floats2half2_rn(low, high);
      memcpy(&word, &pair, sizeof word);
    } else {
      const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
      memcpy(&word, &pair, sizeof word);
    }
    return word;
  }
  template <Element kElement>
  FJORD_DEVICE void unpack(std::uint32_t word, float& low, float& high) const {
    if constexpr (kElement == Element::kFloat16) {
      __half2 pair;
      memcpy(&pair, &word, sizeof pair);
      low = __low2float(pair);
      high = __high2float(pair);
    } else {
      low = __uint_as_float(word << 16);
      high = __uint_as_float(word & 0xffff0000U);
    }
  }
  FJORD_DEVICE float as_float(std::uint32_t word) const { return __uint_as_float(word); }
  FJORD_DEVICE std::uint32_t as_word(float x) const { return __float_as_uint(x); }

  template <typename T>
  FJORD_DEVICE T load_shared(unsigned offset) const {
    return *reinterpret_cast<const T*>(generic_ + offset);
  }
  template <typename T>
  FJORD_DEVICE void store_shared(unsigned offset, const T& value) {
    *reinterpret_cast<T*>(generic_ + offset) = value;
  }
  template <typename T>
  FJORD_DEVICE T load_global(const void* source) const {
    if constexpr (sizeof(T) == 16) {
      const uint4 words = *static_cast<const uint4*>(source);
      return {{words.x, words.y, words.z, words.w}};
    } else {
      return *static_cast<const T*>(source);
    }
  }
  template <typename T>
  FJORD_DEVICE void store_global(void* target, const T& value) {
    if constexpr (sizeof(T) == 16) {
      *static_cast<uint4*>(target) = make_uint4(value.words[0], value.words[1], value.words[2], value.words[3]);
    } else {
      *static_cast<T*>(target) = value;
    }
  }

 protected:
  FJORD_DEVICE unsigned shared_address() const { return shared_; }

 private:
  char* generic_;
  unsigned shared_;
};

}  // namespace fjord::kernels::cuda
