#include <fjord/error.h>

namespace fjord {

const char* to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "invalid_argument";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kBadFile: return "bad_file";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kDeviceUnavailable: return "device_unavailable";
    case ErrorCode::kOutOfMemory: return "out_of_memory";
    case ErrorCode::kCannotWrite: return "cannot_write";
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kNonFinite: return "non_finite";
    case ErrorCode::kInternal: return "internal";
  }
  return "internal";
}

Error::Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

}  // namespace fjord
