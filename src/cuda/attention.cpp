#include "core/check.h"
#include "cuda/shim.h"
#include "kernels/cuda/attention_choice.h"

#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/_scaled_dot_product_efficient_attention.h>
#include <ATen/ops/_scaled_dot_product_flash_attention.h>
#include <ATen/ops/_softmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <c10/cuda/CUDAGuard.h>

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace fjord::cuda {
namespace {

using kernels::cuda::AttentionKind;
using kernels::cuda::AttentionProblem;

constexpr std::int64_t kChunk = 1024;  // queries whose scores stand in memory at once

int attribute(cudaDeviceAttr which, const at::Tensor& x) {
  int value = 0;
  cudaDeviceGetAttribute(&value, which, x.device().index());
  return value;
}

kernels::cuda::AttentionChoice choose(const at::Tensor& q, const at::Tensor& k, const CudaAttention& options) {
  const auto integer = [](std::int64_t x) { return static_cast<int>(x); };
  const kernels::cuda::AttentionShape shape{
      element_of(q.scalar_type()), integer(q.size(0)), integer(options.heads), integer(q.size(2) / options.heads),
      integer(q.size(1)),          integer(k.size(1)), options.causal};
  const int capability =
      10 * attribute(cudaDevAttrComputeCapabilityMajor, q) + attribute(cudaDevAttrComputeCapabilityMinor, q);
  return kernels::cuda::choose_attention(shape, {capability, kernels::cuda::kHopperKernels},
                                         kernels::cuda::parse_attention(options.kind));
}

// As the kernels read it: channels side by side, everything at multiples of 16 bytes.
at::Tensor for_kernel(const at::Tensor& x) {
  const bool dense = x.stride(2) == 1 && x.stride(1) > 0 && (x.stride(0) > 0 || x.size(0) == 1);
  const bool fits = dense && x.stride(1) % 8 == 0 && x.stride(0) % 8 == 0 && is_aligned(x);
  return fits ? x : x.clone(at::MemoryFormat::Contiguous);
}

at::Tensor own(const at::Tensor& q_in, const at::Tensor& k_in, const at::Tensor& v_in, const CudaAttention& options,
               const kernels::cuda::AttentionChoice& choice) {
  const auto q = for_kernel(q_in), k = for_kernel(k_in), v = for_kernel(v_in);
  auto out = at::empty(q.sizes(), q.options());
  const auto head_dim = q.size(2) / options.heads;
  const auto tokens = [&](const at::Tensor& x) {
    return AttentionProblem::Tokens{x.const_data_ptr(), x.stride(0), x.stride(1), head_dim};
  };
  const AttentionProblem problem{.q = tokens(q),
                                 .k = tokens(k),
                                 .v = tokens(v),
                                 .out = out.mutable_data_ptr(),
                                 .out_batch_stride = out.stride(0),
                                 .out_token_stride = out.stride(1),
                                 .out_head_stride = head_dim,
                                 .element = element_of(q.scalar_type()),
                                 .batch = static_cast<int>(q.size(0)),
                                 .heads = static_cast<int>(options.heads),
                                 .head_dim = static_cast<int>(head_dim),
                                 .queries = static_cast<int>(q.size(1)),
                                 .keys = static_cast<int>(k.size(1)),
                                 .scale = static_cast<float>(1 / std::sqrt(static_cast<double>(head_dim)))};
  if (choice.kind == AttentionKind::kOwnHopper) {
    check_launch(kernels::cuda::hopper_attention(problem, stream_of(q)), "hopper_attention");
  } else if (choice.resident_keys) {
    const int multiprocessors = attribute(cudaDevAttrMultiProcessorCount, q);
    check_launch(kernels::cuda::text_attention(problem, multiprocessors, stream_of(q)), "text_attention");
  } else {
    check_launch(kernels::cuda::flash_attention(problem, stream_of(q)), "flash_attention");
  }
  return out;
}

// One head: scores of some queries at a time, in float32.
at::Tensor chunked(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  auto out = at::empty(q.sizes(), q.options());
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(q.size(2))));
  for (std::int64_t b = 0; b < q.size(0); ++b) {
    const auto keys = k[b].t();
    for (std::int64_t begin = 0; begin < q.size(1); begin += kChunk) {
      const auto rows = q[b].slice(0, begin, begin + kChunk);
      const auto scores = q.scalar_type() == at::kFloat ? at::mm(rows, keys) : at::mm(rows, keys, at::kFloat);
      auto target = out[b].slice(0, begin, begin + kChunk);
      at::mm_out(target, softmax(scores, scale, q.scalar_type()), v[b]);
    }
  }
  return out;
}

at::Tensor plain(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const CudaAttention& options) {
  const auto wide = [&](const at::Tensor& x) { return options.float32 ? x.to(at::kFloat) : x; };
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(-1)));
  auto scores = at::matmul(wide(q).mul(scale), wide(k).transpose(-2, -1)).to(at::kFloat);
  if (options.causal) {
    const auto later = at::ones({q.size(-2), k.size(-2)}, q.options().dtype(at::kBool)).triu(1);
    scores = scores.masked_fill(later, -std::numeric_limits<double>::infinity());
  }
  return at::matmul(at::_softmax(scores, -1, false).to(q.scalar_type()), v);
}

// [batch, tokens, heads * head_dim] -> [batch, heads, tokens, head_dim]
at::Tensor split_heads(const at::Tensor& x, std::int64_t heads) {
  return x.reshape({x.size(0), x.size(1), heads, -1}).transpose(1, 2);
}

at::Tensor by_libtorch(AttentionKind kind, const at::Tensor& q_in, const at::Tensor& k_in, const at::Tensor& v_in,
                       const CudaAttention& options) {
  const auto q = split_heads(q_in, options.heads), k = split_heads(k_in, options.heads);
  const auto v = split_heads(v_in, options.heads);
  const auto heads = [&] {
    switch (kind) {
      case AttentionKind::kCudnn:
        return std::get<0>(at::_scaled_dot_product_cudnn_attention(q, k, v, {}, false, 0.0, options.causal));
      case AttentionKind::kFlash:
        return std::get<0>(at::_scaled_dot_product_flash_attention(q, k, v, 0.0, options.causal));
      case AttentionKind::kMemEfficient:
        return std::get<0>(at::_scaled_dot_product_efficient_attention(q, k, v, {}, false, 0.0, options.causal));
      default: return plain(q, k, v, options);
    }
  };
  return heads().transpose(1, 2).reshape(q_in.sizes());
}

}  // namespace

std::string attention_kernel(const at::Tensor& q, const at::Tensor& k, const CudaAttention& options) {
  return kernels::cuda::to_string(choose(q, k, options).kind);
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const CudaAttention& options) {
  check(is_element(q.scalar_type()), ErrorCode::kInternal, "attention on a GPU needs float32, float16 or bfloat16");
  const c10::cuda::CUDAGuard guard(q.device());
  const auto choice = choose(q, k, options);
  if (choice.kind == AttentionKind::kOwn || choice.kind == AttentionKind::kOwnHopper)
    return own(q, k, v, options, choice);
  if (choice.kind == AttentionKind::kChunked) return chunked(q, k, v);
  return by_libtorch(choice.kind, q, k, v, options);
}

}  // namespace fjord::cuda
