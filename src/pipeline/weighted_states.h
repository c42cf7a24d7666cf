// Text states with a weight for every token, as other programs apply them. docs/prompts.md.
#pragma once

#include <ATen/core/Tensor.h>

namespace fjord::pipeline {

// states: [chunks, tokens, features]; weights: float32 [chunks, tokens].

// Each state times its weight; then each chunk is scaled so that its mean is what it was.
at::Tensor weigh_and_restore_mean(const at::Tensor& states, const at::Tensor& weights);

// empty + weight (state - empty). empty: [1, tokens, features], the states of the empty prompt.
at::Tensor weigh_from_empty(const at::Tensor& states, const at::Tensor& weights, const at::Tensor& empty);

}  // namespace fjord::pipeline
