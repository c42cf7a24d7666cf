// Attention over tensors.
#pragma once

#include "kernels/cpu/kernels.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace fjord::ops {

struct AttentionOptions {
  std::int64_t num_heads = 1;
  bool causal = false;   // position i sees positions 0..i
  bool float32 = false;  // compute in float32 whatever the inputs' dtype ("upcast_attention"); our kernels always do
  bool rounded = false;  // of a long row of keys, multiply whole numbers where that is faster (docs/quantization.md)
  const kernels::CpuKernels* kernels = nullptr;  // null: LibTorch's scaled_dot_product_attention
  std::string cuda_kernel = "auto";              // of a GPU, a name of kernels/cuda/attention_choice.h
};

// softmax(q k^T / sqrt(head_dim)) v, per head.
// q: [batch, queries, num_heads * head_dim]; k, v: [batch, keys, num_heads * head_dim]; gives the shape of q.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options);

}  // namespace fjord::ops
