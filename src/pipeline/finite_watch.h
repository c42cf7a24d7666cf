// Whether the latents of a pass stay finite. On a GPU the answer is looked at two steps late: until then the GPU has
// work that waits for nobody, and the host is never further ahead of it, so that progress and cancelling mean
// something.
#pragma once

#include "core/cuda_ops.h"

#include <deque>
#include <memory>
#include <utility>

namespace fjord::pipeline {

class FiniteWatch {
 public:
  // ops: null: the latents are looked at at once. `steps`: of the pass.
  FiniteWatch(const CudaOps* ops, at::Device device, int steps);

  // int32 [1] on the GPU: a kernel writes 1 there if it makes something that is not finite. Undefined without `ops`.
  const at::Tensor& flag() const { return flag_; }
  // After every step. `flagged`: the kernel that made the latents has watched them. After the last one all answers are
  // waited for. Throws Error(kNonFinite).
  void step(const at::Tensor& latents, bool flagged);

 private:
  void look(int step, bool finite) const;

  const CudaOps* ops_;
  int steps_;
  int done_ = 0;
  at::Tensor flag_;
  std::deque<std::pair<int, std::unique_ptr<CudaMark>>> marks_;  // by steps
};

}  // namespace fjord::pipeline
