// A stand-in for the CUDA plug-in on the CPU, so that what is done with a GPU's functions runs without one: the plain
// operators behind the same table, with a graph that keeps what a GPU's keeps. It remembers every operator with the
// tensors and numbers that it was given, and runs these again: host values are frozen, memory is the same.
#pragma once

#include "core/cuda_plugin.h"

#include <functional>
#include <string>
#include <vector>

namespace fjord::testing {

struct FakeCudaCounts {
  int records = 0;
  int replays = 0;
  int products = 0;      // CudaOps::linear
  int convolutions = 0;  // CudaOps::convolution
  int combines = 0;
  int uploads = 0;
  int rests = 0;
  int marks = 0;
  int waits = 0;
  int most_ahead = 0;  // marks that nobody had waited for, at most
  int releases = 0;    // of memory
};

// While it lives, all tensors of the process are a GPU's. One at a time.
class FakeCuda {
 public:
  FakeCuda();
  ~FakeCuda();
  FakeCuda(const FakeCuda&) = delete;
  FakeCuda& operator=(const FakeCuda&) = delete;

  const CudaOps& ops() const;
  FakeCudaCounts& counts();
  // Called before something is recorded; may throw.
  std::function<void()>& before_recording();
  // Called with what the last operator of a graph gave, after every replay.
  std::function<void(const at::Tensor&)>& after_replay();
  // What end_request() gives.
  std::vector<std::string>& learned();

 private:
  CudaOpsScope scope_;
};

}  // namespace fjord::testing
