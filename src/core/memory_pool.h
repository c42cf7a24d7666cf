// Memory for tensors that come and go in the same sizes, step after step: kept between uses and in large pages, so that
// the system need not clear fresh pages for every operator's result.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

namespace fjord {

class MemoryPool : public std::enable_shared_from_this<MemoryPool> {
 public:
  // Large pages are faster to use, and where the system has none at hand slower to get.
  enum class Pages { kSmall, kLarge };
  static std::shared_ptr<MemoryPool> create(Pages pages);
  virtual ~MemoryPool() = default;
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  // 64-byte aligned; the pool lives as long as its tensors. Any thread may make and drop them.
  virtual at::Tensor empty(at::IntArrayRef sizes, at::ScalarType dtype) = 0;
  // Bytes taken from the system.
  virtual size_t capacity() const = 0;

 protected:
  MemoryPool() = default;
};

// The pool that pooled_empty uses on this thread, and on the threads of parallel_for_each when called from it.
class PoolScope {
 public:
  explicit PoolScope(MemoryPool* pool);
  ~PoolScope();
  PoolScope(const PoolScope&) = delete;
  PoolScope& operator=(const PoolScope&) = delete;

  static MemoryPool* active();

 private:
  MemoryPool* previous_;
};

// An uninitialised contiguous CPU tensor from the active pool; without one, at::empty.
at::Tensor pooled_empty(at::IntArrayRef sizes, at::ScalarType dtype);

}  // namespace fjord
