// A block of GPU threads on the CPU, for the bodies of the kernels. Every thread is a fiber; the lanes of a warp meet
// at instructions of the warp (products, ldmatrix, shuffles), the threads of a block at barriers. A warp runs as far
// ahead as it may before the next one starts, in either order.
//
// What it would not see on its own it provokes: the target of a copy in the background holds NaN until the copying
// thread waits for it, shared memory starts as NaN, and global memory that was not allowed, or is not aligned, throws.
// So a missing wait, a missing barrier or a wrong predicate is a wrong result or an error, not luck.
#pragma once

#include "kernels/cuda/hopper_layout.h"
#include "kernels/float16.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

namespace fjord::testing {

struct EmulatedLaunch {
  int grid_x = 1, grid_y = 1, grid_z = 1;
  int threads = 32;
  int shared_bytes = 0;
  bool last_warp_first = false;
};

class EmulatedBlock;

// What a bulk copy reads through: a tensor {channels, heads, tokens, batch} of 16-bit numbers, a panel of `rows` tokens
// at a time (kernels/cuda/hopper_attention.cu makes such a map for the GPU).
struct EmulatedMap {
  kernels::cuda::AttentionProblem::Tokens tokens;
  int channels = 0, heads = 0, count = 0, batch = 0, rows = 0;
};

// The policy `Hw` of the bodies: what one thread may do.
class EmulatedThread {
 public:
  EmulatedThread(EmulatedBlock& block, int thread) : block_(block), thread_(thread) {}

  int thread() const { return thread_; }
  int lane() const { return thread_ % 32; }
  int block_x() const;
  int block_y() const;
  int block_z() const;
  int grid_x() const;

  void barrier();
  void warp_barrier();

  void copy_to_shared(unsigned offset, const void* source, bool exists);
  void commit_copies();
  template <int kPending>
  void wait_for_copies() {
    finish_copies(kPending);
  }

  template <int kCount>
  void load_matrices(std::uint32_t (&r)[kCount], unsigned offset) {
    load(r, kCount, offset, false);
  }
  template <int kCount>
  void load_matrices_transposed(std::uint32_t (&r)[kCount], unsigned offset) {
    load(r, kCount, offset, true);
  }
  template <kernels::cuda::Element kElement>
  void multiply_add(float (&c)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
    multiply(kElement, c, a, b0, b1);
  }
  float shuffle_xor(float x, int mask);

  // Hopper. Offsets count as addresses. Sums are there at once, but may not be used before end_products().
  unsigned aligned_offset(unsigned) const { return 0; }
  std::uint64_t descriptor(unsigned offset) const { return kernels::cuda::panel_descriptor(offset); }
  template <int kCount>
  void give_registers() {}
  template <int kCount>
  void take_registers() {}
  void init_barrier(unsigned offset, int arrivals);
  void publish_barriers() {}
  void arrive(unsigned offset);
  void expect_bytes(unsigned offset, int bytes);
  void wait_barrier(unsigned offset, int parity);
  void copy_panel(unsigned offset, const EmulatedMap& map, int column, int head, int token, int batch,
                  unsigned barrier);
  void begin_products() { began_ = true; }
  template <int kTiles>
  void end_products(float (&)[kTiles][4]) {
    began_ = false;
  }
  template <kernels::cuda::Element kElement, int kColumns>
  void multiply_shared(float (*d)[4], std::uint64_t a, std::uint64_t b, bool add) {
    multiply_group(kElement, kColumns, d, nullptr, a, b, add);
  }
  template <kernels::cuda::Element kElement, int kColumns>
  void multiply_registers(float (*d)[4], const std::uint32_t (&a)[4], std::uint64_t b) {
    multiply_group(kElement, kColumns, d, a, 0, b, true);
  }

  float exp2(float x) const { return std::exp2(x); }
  float divide(float a, float b) const { return a / b; }
  float reciprocal_root(float x) const { return 1 / std::sqrt(x); }
  template <kernels::cuda::Element kElement>
  std::uint32_t pack(float low, float high) const {
    return to_bits(kElement, low) | static_cast<std::uint32_t>(to_bits(kElement, high)) << 16;
  }
  template <kernels::cuda::Element kElement>
  void unpack(std::uint32_t word, float& low, float& high) const {
    low = from_bits(kElement, static_cast<std::uint16_t>(word));
    high = from_bits(kElement, static_cast<std::uint16_t>(word >> 16));
  }
  float as_float(std::uint32_t word) const { return std::bit_cast<float>(word); }
  std::uint32_t as_word(float x) const { return std::bit_cast<std::uint32_t>(x); }

  template <typename T>
  T load_shared(unsigned offset) const {
    T value;
    std::memcpy(&value, shared(offset, sizeof(T)), sizeof(T));
    return value;
  }
  template <typename T>
  void store_shared(unsigned offset, const T& value) {
    std::memcpy(shared(offset, sizeof(T)), &value, sizeof(T));
  }
  template <typename T>
  T load_global(const void* source) const {
    check_global(source, sizeof(T), false);
    T value;
    std::memcpy(&value, source, sizeof(T));
    return value;
  }
  template <typename T>
  void store_global(void* target, const T& value) {
    check_global(target, sizeof(T), true);
    std::memcpy(target, &value, sizeof(T));
  }

 private:
  friend class EmulatedBlock;
  struct Copy {
    unsigned target;
    unsigned char bytes[16];
  };

  void load(std::uint32_t* r, int count, unsigned offset, bool transposed);
  void multiply(Element element, float* c, const std::uint32_t* a, std::uint32_t b0, std::uint32_t b1);
  void finish_copies(int pending);
  void multiply_group(Element element, int columns, float (*d)[4], const std::uint32_t* a, std::uint64_t a_descriptor,
                      std::uint64_t b_descriptor, bool add);
  void check_no_products() const;
  unsigned char* shared(unsigned offset, size_t bytes) const;
  void check_global(const void* at, size_t bytes, bool writes) const;

  EmulatedBlock& block_;
  int thread_;
  std::vector<std::vector<Copy>> groups_;  // committed
  std::vector<Copy> open_;
  bool began_ = false;
};

class EmulatedBlock {
 public:
  EmulatedBlock();
  ~EmulatedBlock();

  // Global memory that the kernel may read, or also write. Nothing else may be touched.
  void allow(const void* data, size_t bytes, bool writable = false);
  template <typename T>
  void may_read(const std::vector<T>& v) {
    allow(v.data(), v.size() * sizeof(T));
  }
  template <typename T>
  void may_write(std::vector<T>& v) {
    allow(v.data(), v.size() * sizeof(T), true);
  }

  // Runs every block of the grid, one after another. The first exception of a thread is thrown again.
  void run(const EmulatedLaunch& launch, const std::function<void(EmulatedThread&)>& body);

 private:
  friend class EmulatedThread;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fjord::testing
