// The state of the calling thread while fjord computes on it.
#pragma once

#include "core/checkpoint.h"
#include "core/device.h"
#include "core/memory_pool.h"

#include <c10/core/InferenceMode.h>

namespace fjord::pipeline {

// No autograd, at most `threads` threads (0: LibTorch's default), results of operators in `pool` and a look at
// `checkpoint` before every layer (both may be null).
class RunScope {
 public:
  RunScope(int threads, MemoryPool* pool, Checkpoint* checkpoint = nullptr)
      : threads_(threads), pool_(pool), checkpoint_(checkpoint) {}

 private:
  c10::InferenceMode inference_;
  ThreadLimit threads_;
  PoolScope pool_;
  CheckpointScope checkpoint_;
};

}  // namespace fjord::pipeline
