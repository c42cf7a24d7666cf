// Devices by name, and the scope in which a request's thread count holds.
#pragma once

#include <fjord/pipeline.h>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string>

namespace fjord {

// "auto" | "cpu" | "cuda" | "cuda:<index>" -> a device that works.
// Throws kInvalidArgument for another text and kDeviceUnavailable, with the reason, for a device that is not there.
at::Device parse_device(const std::string& name);

at::ScalarType to_scalar_type(Precision precision);

// Sets LibTorch's thread count for the calling thread and puts the old one back. 0 leaves it alone.
class ThreadLimit {
 public:
  explicit ThreadLimit(int threads);
  ~ThreadLimit();
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int previous_ = 0;
};

}  // namespace fjord
