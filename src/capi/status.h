// The edge of the C interface: whatever is thrown becomes a status and a sentence of the calling thread.
#pragma once

#include <fjord/c.h>
#include <fjord/error.h>

#include <string>
#include <utility>

namespace fjord::capi {

// Thrown for the statuses that have no ErrorCode.
struct StatusError {
  fjord_status status;
  std::string message;
};

// Keeps the sentence of the exception under way for fjord_last_error; returns its status. Call from a handler.
fjord_status note_current_exception() noexcept;

template <typename Work>
fjord_status guarded(Work&& work) noexcept {
  try {
    std::forward<Work>(work)();
    return FJORD_OK;
  } catch (...) {
    return note_current_exception();
  }
}

[[noreturn]] void refuse(const std::string& message);  // FJORD_INVALID_ARGUMENT

// The argument `name` must not be null.
void need(const void* argument, const char* name);

// "" for null; refuses more than 1 MiB.
std::string text_of(const char* text, const char* name);

// While it lives, this thread is inside a callback of the host.
class InCallback {
 public:
  InCallback();
  ~InCallback();
  InCallback(const InCallback&) = delete;
  InCallback& operator=(const InCallback&) = delete;
};
// Throws FJORD_BUSY inside a callback.
void refuse_in_callback(const char* function);

}  // namespace fjord::capi
