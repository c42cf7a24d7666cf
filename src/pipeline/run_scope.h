// The state of the calling thread while fjord computes on it.
#pragma once

#include "core/device.h"
#include "core/memory_pool.h"

#include <c10/core/InferenceMode.h>

namespace fjord::pipeline {

// No autograd, at most `threads` threads (0: LibTorch's default), results of operators in `pool` (may be null).
class RunScope {
 public:
  RunScope(int threads, MemoryPool* pool) : threads_(threads), pool_(pool) {}

 private:
  c10::InferenceMode inference_;
  ThreadLimit threads_;
  PoolScope pool_;
};

}  // namespace fjord::pipeline
