// Handles: numbers that name an object, its kind and how often its place was used before, so that a stale or foreign
// one is recognised. Objects are shared: one that is in use outlives its handle.
#pragma once

#include "capi/status.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace fjord::capi {

enum class Kind : std::uint8_t {
  kPipeline = 1,
  kRequest,
  kResult,
  kEmbeddings,
  kQueue,
  kJob,
  kAdapter,
  kControl,
  kImageAdapter
};
constexpr Kind kLast = Kind::kImageAdapter;

class Handles {
 public:
  // Of the process. Its objects go, in the order of their handles, when the library's statics do.
  static Handles& all();

  std::uint64_t add(Kind kind, std::shared_ptr<void> object);
  // Throws FJORD_BAD_HANDLE.
  std::shared_ptr<void> find(Kind kind, std::uint64_t handle) const;
  // Likewise, and the handle is void afterwards.
  std::shared_ptr<void> remove(Kind kind, std::uint64_t handle);

 private:
  struct Slot {
    Kind kind = Kind::kPipeline;
    std::uint32_t uses = 0;  // 24 bits of a handle; a slot that has used them up is not taken again
    int process = 0;
    std::shared_ptr<void> object;
  };
  size_t index_of(Kind kind, std::uint64_t handle) const;

  mutable std::mutex mutex_;
  std::vector<Slot> slots_;
  std::vector<size_t> free_;
};

// The kind of a type is its static member kKind.
template <typename Object>
std::uint64_t add_handle(std::shared_ptr<Object> object) {
  return Handles::all().add(Object::kKind, std::move(object));
}
template <typename Object>
std::shared_ptr<Object> find_handle(std::uint64_t handle) {
  return std::static_pointer_cast<Object>(Handles::all().find(Object::kKind, handle));
}
template <typename Object>
std::shared_ptr<Object> remove_handle(std::uint64_t handle) {
  return std::static_pointer_cast<Object>(Handles::all().remove(Object::kKind, handle));
}

}  // namespace fjord::capi
