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

// kAuto: float32 on the CPU, bfloat16 on another device.
at::ScalarType to_scalar_type(Precision precision, const at::Device& device);

// Threads of LibTorch and OpenMP for the calling thread; its former setting is put back. Nothing else in the process
// changes. 0: in an outer scope, its number; else what the calling thread's OpenMP allows, at most LibTorch's default.
class ThreadLimit {
 public:
  explicit ThreadLimit(int threads);
  ~ThreadLimit();
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int previous_ = 0;
};

// While it lives, every ThreadLimit on this thread is at most `threads`; 0 for no cap.
class ThreadCap {
 public:
  explicit ThreadCap(int threads);
  ~ThreadCap();
  ThreadCap(const ThreadCap&) = delete;
  ThreadCap& operator=(const ThreadCap&) = delete;

 private:
  int previous_ = 0;
};

}  // namespace fjord
