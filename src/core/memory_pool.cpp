#include "core/memory_pool.h"

#include "core/check.h"

#include <ATen/EmptyTensor.h>
#include <ATen/ops/empty.h>

#include <sys/mman.h>
#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace fjord {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kLeastChunk = size_t{64} << 20;

size_t round_up(size_t size, size_t to) { return (size + to - 1) / to * to; }

// A range of pages of the system.
class Chunk {
 public:
  Chunk(size_t size, MemoryPool::Pages pages) : size_(size) {
    data_ = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(data_ != MAP_FAILED, ErrorCode::kOutOfMemory, "out of memory: ", size, " bytes were asked for");
    if (pages == MemoryPool::Pages::kLarge) madvise(data_, size, MADV_HUGEPAGE);  // a wish
  }
  ~Chunk() { munmap(data_, size_); }
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;
  char* data() const { return static_cast<char*>(data_); }
  size_t size() const { return size_; }

 private:
  void* data_;
  size_t size_;
};

// Best fit with joining of neighbours.
class Heap {
 public:
  explicit Heap(MemoryPool::Pages pages) : pages_(pages) {}

  char* take(size_t size) {
    const std::lock_guard lock(mutex_);
    auto found = by_size_.lower_bound({size, nullptr});
    if (found == by_size_.end()) {
      grow(size);
      found = by_size_.lower_bound({size, nullptr});
    }
    const auto [free_size, begin] = *found;
    forget(begin, free_size);
    if (free_size > size) remember(begin + size, free_size - size);
    return begin;
  }

  void give_back(char* begin, size_t size) {
    const std::lock_guard lock(mutex_);
    const auto next = free_.lower_bound(begin);
    if (next != free_.end() && begin + size == next->first && !starts_chunk(next->first)) {
      const auto [at, more] = *next;
      size += more;
      forget(at, more);
    }
    const auto after = free_.lower_bound(begin);
    if (after != free_.begin() && !starts_chunk(begin)) {
      const auto [at, before] = *std::prev(after);
      if (at + before == begin) {
        forget(at, before);
        begin = at;
        size += before;
      }
    }
    remember(begin, size);
  }

  size_t capacity() const {
    const std::lock_guard lock(mutex_);
    size_t out = 0;
    for (const auto& chunk : chunks_) out += chunk->size();
    return out;
  }

 private:
  void grow(size_t size) {
    give_back_free_chunks();
    chunks_.push_back(std::make_unique<Chunk>(round_up(std::max(size, kLeastChunk), kHugePage), pages_));
    remember(chunks_.back()->data(), chunks_.back()->size());
  }
  // Those were all too small for what is asked.
  void give_back_free_chunks() {
    std::erase_if(chunks_, [this](const auto& chunk) {
      const auto found = free_.find(chunk->data());
      const bool is_free = found != free_.end() && found->second == chunk->size();
      if (is_free) forget(chunk->data(), chunk->size());
      return is_free;
    });
  }
  void remember(char* begin, size_t size) {
    free_.emplace(begin, size);
    by_size_.emplace(size, begin);
  }
  void forget(char* begin, size_t size) {
    free_.erase(begin);
    by_size_.erase({size, begin});
  }
  bool starts_chunk(const char* at) const {
    return std::any_of(chunks_.begin(), chunks_.end(), [at](const auto& chunk) { return chunk->data() == at; });
  }

  MemoryPool::Pages pages_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::map<char*, size_t> free_;
  std::set<std::pair<size_t, char*>> by_size_;
};

class PoolOfPages final : public MemoryPool, private c10::Allocator {
 public:
  explicit PoolOfPages(Pages pages) : heap_(pages) {}
  at::Tensor empty(at::IntArrayRef sizes, at::ScalarType dtype) override {
    return at::detail::empty_generic(sizes, this, c10::DispatchKeySet(c10::DispatchKey::CPU), dtype, std::nullopt);
  }
  size_t capacity() const override { return heap_.capacity(); }

 private:
  struct Block {
    std::shared_ptr<PoolOfPages> pool;
    char* data;
    size_t size;
  };

  c10::DataPtr allocate(size_t bytes) override {
    const auto size = round_up(std::max(bytes, kAlignment), kAlignment);
    auto self = std::static_pointer_cast<PoolOfPages>(shared_from_this());
    auto block = std::make_unique<Block>(Block{std::move(self), nullptr, size});
    block->data = heap_.take(size);
    auto* const data = block->data;
    return {data, block.release(), &drop, at::Device(at::kCPU)};
  }
  static void drop(void* context) {
    const std::unique_ptr<Block> block(static_cast<Block*>(context));
    block->pool->heap_.give_back(block->data, block->size);
  }
  void copy_data(void* to, const void* from, size_t count) const override { default_copy_data(to, from, count); }

  Heap heap_;
};

thread_local MemoryPool* active_pool = nullptr;

}  // namespace

std::shared_ptr<MemoryPool> MemoryPool::create(Pages pages) { return std::make_shared<PoolOfPages>(pages); }

PoolScope::PoolScope(MemoryPool* pool) : previous_(active_pool) { active_pool = pool; }
PoolScope::~PoolScope() { active_pool = previous_; }
MemoryPool* PoolScope::active() { return active_pool; }

at::Tensor pooled_empty(at::IntArrayRef sizes, at::ScalarType dtype) {
  return active_pool != nullptr ? active_pool->empty(sizes, dtype) : at::empty(sizes, dtype);
}

}  // namespace fjord
