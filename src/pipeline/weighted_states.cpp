#include "pipeline/weighted_states.h"

namespace fjord::pipeline {
namespace {

at::Tensor mean_of_chunks(const at::Tensor& states) { return states.mean(at::IntArrayRef{1, 2}, /*keepdim=*/true); }

}  // namespace

at::Tensor weigh_and_restore_mean(const at::Tensor& states, const at::Tensor& weights) {
  const auto plain = states.to(at::kFloat);
  const auto weighed = plain * weights.unsqueeze(-1);
  return (weighed * (mean_of_chunks(plain) / mean_of_chunks(weighed))).to(states.scalar_type());
}

at::Tensor weigh_from_empty(const at::Tensor& states, const at::Tensor& weights, const at::Tensor& empty) {
  const auto base = empty.to(at::kFloat);
  return (base + weights.unsqueeze(-1) * (states.to(at::kFloat) - base)).to(states.scalar_type());
}

}  // namespace fjord::pipeline
