// A handle from the top: 8 bits kind, 24 bits uses of the slot, 32 bits slot + 1.
#include "capi/handles.h"

#include <unistd.h>
#include <utility>

namespace fjord::capi {
namespace {

constexpr std::uint32_t kMaxUses = (1U << 24) - 1;

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::kPipeline: return "a pipeline";
    case Kind::kRequest: return "a request";
    case Kind::kResult: return "a result";
    case Kind::kEmbeddings: return "embeddings";
    case Kind::kQueue: return "a queue";
    case Kind::kJob: return "a job";
    case Kind::kAdapter: return "an adapter";
    case Kind::kControl: return "a control network";
    case Kind::kImageAdapter: return "an image adapter";
  }
  return "a handle";
}

[[noreturn]] void fail_handle(Kind kind, const char* why) {
  throw StatusError{FJORD_BAD_HANDLE, std::string("expected the handle of ") + name_of(kind) + ", got " + why};
}

}  // namespace

Handles& Handles::all() {
  static Handles handles;
  return handles;
}

std::uint64_t Handles::add(Kind kind, std::shared_ptr<void> object) {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    slots_.emplace_back();
    free_.push_back(slots_.size() - 1);
  }
  const auto index = free_.back();
  free_.pop_back();
  auto& slot = slots_[index];
  slot.kind = kind;
  slot.process = getpid();
  slot.object = std::move(object);
  ++slot.uses;
  return static_cast<std::uint64_t>(kind) << 56 | static_cast<std::uint64_t>(slot.uses) << 32 | (index + 1);
}

// With the mutex held.
size_t Handles::index_of(Kind kind, std::uint64_t handle) const {
  if (handle == 0) fail_handle(kind, "0");
  const auto given = static_cast<std::uint8_t>(handle >> 56);
  const auto index = (handle & 0xffffffffU) - 1;
  const bool known = given >= static_cast<std::uint8_t>(Kind::kPipeline) && given <= static_cast<std::uint8_t>(kLast) &&
                     index < slots_.size();
  if (!known) fail_handle(kind, "a number that was never one");
  if (given != static_cast<std::uint8_t>(kind)) fail_handle(kind, name_of(static_cast<Kind>(given)));
  const auto& slot = slots_[index];
  const bool current = slot.object != nullptr && slot.kind == kind && slot.uses == (handle >> 32 & kMaxUses);
  if (!current) fail_handle(kind, "one that was freed, or a number that was never one");
  if (slot.process != getpid()) fail_handle(kind, "one of the process before fork()");
  return index;
}

std::shared_ptr<void> Handles::find(Kind kind, std::uint64_t handle) const {
  const std::lock_guard lock(mutex_);
  return slots_[index_of(kind, handle)].object;
}

std::shared_ptr<void> Handles::remove(Kind kind, std::uint64_t handle) {
  const std::lock_guard lock(mutex_);
  const auto index = index_of(kind, handle);
  auto object = std::exchange(slots_[index].object, nullptr);
  if (slots_[index].uses < kMaxUses) free_.push_back(index);
  return object;
}

}  // namespace fjord::capi
