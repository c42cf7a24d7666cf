// The one exception type that fjord throws, and its codes.
#pragma once

#include <fjord/export.h>

#include <stdexcept>
#include <string>

namespace fjord {

// What kind of failure an Error reports. The `fjord` program maps each to a documented exit code.
enum class ErrorCode {
  kInvalidArgument,    // a parameter of the caller is out of range or contradicts another
  kNotFound,           // a file, folder or named thing does not exist
  kBadFile,            // a file exists but its content is damaged or does not fit
  kUnsupported,        // well-formed, but fjord does not implement it
  kDeviceUnavailable,  // the wished device is not there
  kOutOfMemory,        // host or device memory ran out; the next request may work
  kCannotWrite,        // an output file could not be written; nothing half-written remains
  kCancelled,          // the request was cancelled by its owner
  kNonFinite,          // NaN or infinity appeared in the latents or the picture
  kInternal,           // a bug in fjord or in a library below it
};

// Short stable name of a code, for example "bad_file".
FJORD_API const char* to_string(ErrorCode code);

// Thrown by every public function that fails. what() is one sentence: what was expected, what came, where.
class FJORD_API Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message);
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace fjord
