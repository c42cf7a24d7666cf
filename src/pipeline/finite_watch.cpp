#include "pipeline/finite_watch.h"

#include "core/check.h"

#include <ATen/ops/zeros.h>

namespace fjord::pipeline {
namespace {

constexpr size_t kAhead = 2;  // steps whose answers are not waited for

}  // namespace

FiniteWatch::FiniteWatch(const CudaOps* ops, at::Device device, int steps) : ops_(ops), steps_(steps) {
  if (ops_ != nullptr) flag_ = at::zeros({1}, at::TensorOptions().dtype(at::kInt).device(device));
}

void FiniteWatch::look(int step, bool finite) const {
  check(finite, ErrorCode::kNonFinite, "NaN or infinity in the latents after step ", step, " of ", steps_,
        "; try float32, another scheduler or less guidance");
}

void FiniteWatch::step(const at::Tensor& latents, bool flagged) {
  ++done_;
  if (ops_ == nullptr) return look(done_, latents.isfinite().all().item<bool>());
  if (!flagged) flag_.bitwise_or_(latents.isfinite().all().logical_not().to(at::kInt));
  marks_.emplace_back(done_, ops_->mark(flag_));
  while (marks_.size() > (done_ < steps_ ? kAhead : 0)) {
    const auto [step, mark] = std::move(marks_.front());
    marks_.pop_front();
    look(step, mark->wait() == 0);
  }
}

}  // namespace fjord::pipeline
