#include "capi/status.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace fjord::capi {
namespace {

constexpr size_t kMaxText = size_t{1} << 20;

thread_local char last_error[512] = "";
thread_local int callbacks = 0;

void note(const char* message) noexcept {
  const auto length = std::min(std::strlen(message), sizeof last_error - 1);
  std::memcpy(last_error, message, length);
  last_error[length] = '\0';
}

fjord_status status_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument: return FJORD_INVALID_ARGUMENT;
    case ErrorCode::kNotFound: return FJORD_NOT_FOUND;
    case ErrorCode::kBadFile: return FJORD_BAD_FILE;
    case ErrorCode::kUnsupported: return FJORD_UNSUPPORTED;
    case ErrorCode::kDeviceUnavailable: return FJORD_DEVICE_UNAVAILABLE;
    case ErrorCode::kOutOfMemory: return FJORD_OUT_OF_MEMORY;
    case ErrorCode::kCannotWrite: return FJORD_CANNOT_WRITE;
    case ErrorCode::kCancelled: return FJORD_CANCELLED;
    case ErrorCode::kNonFinite: return FJORD_NON_FINITE;
    case ErrorCode::kInternal: return FJORD_INTERNAL;
  }
  return FJORD_INTERNAL;
}

}  // namespace

fjord_status note_current_exception() noexcept {
  try {
    throw;
  } catch (const StatusError& error) {
    note(error.message.c_str());
    return error.status;
  } catch (const Error& error) {
    note(error.what());
    return status_of(error.code());
  } catch (const std::bad_alloc&) {
    note("out of memory");
    return FJORD_OUT_OF_MEMORY;
  } catch (const std::exception& error) {
    note(error.what());
    return FJORD_INTERNAL;
  } catch (...) {
    note("something was thrown that is no std::exception");
    return FJORD_INTERNAL;
  }
}

void refuse(const std::string& message) { throw Error(ErrorCode::kInvalidArgument, message); }

void need(const void* argument, const char* name) {
  if (argument == nullptr) refuse(std::string(name) + " must not be NULL");
}

std::string text_of(const char* text, const char* name) {
  if (text == nullptr) return "";
  const auto length = strnlen(text, kMaxText + 1);
  if (length > kMaxText) refuse(std::string(name) + " must have at most " + std::to_string(kMaxText) + " bytes");
  return {text, length};
}

InCallback::InCallback() { ++callbacks; }
InCallback::~InCallback() { --callbacks; }

void refuse_in_callback(const char* function) {
  if (callbacks > 0) throw StatusError{FJORD_BUSY, std::string(function) + " was called from inside a callback"};
}

}  // namespace fjord::capi

const char* fjord_last_error() { return fjord::capi::last_error; }

const char* fjord_status_name(fjord_status status) {
  constexpr const char* kNames[] = {"ok",          "invalid_argument",   "not_found",     "bad_file",
                                    "unsupported", "device_unavailable", "out_of_memory", "cannot_write",
                                    "cancelled",   "non_finite",         "internal",      "bad_handle",
                                    "busy",        "not_ready"};
  return status >= 0 && status <= FJORD_NOT_READY ? kNames[status] : "unknown";
}
