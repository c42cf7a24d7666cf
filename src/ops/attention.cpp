#include "ops/attention.h"

#include "core/cuda_plugin.h"
#include "core/memory_pool.h"
#include "ops/cpu_tensors.h"

#include <ATen/ops/scaled_dot_product_attention.h>

#include <cmath>

namespace fjord::ops {
namespace {

constexpr std::int64_t kLeastRoundedKeys = 256;  // with fewer there is little to gain

// [batch, tokens, heads * head_dim] -> [batch, heads, tokens, head_dim]
at::Tensor split_heads(const at::Tensor& x, const AttentionOptions& options) {
  const auto heads = x.view({x.size(0), x.size(1), options.num_heads, -1}).transpose(1, 2);
  return options.float32 ? heads.to(at::kFloat) : heads;
}

at::Tensor plain_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           const AttentionOptions& options) {
  const auto out = at::scaled_dot_product_attention(split_heads(q, options), split_heads(k, options),
                                                    split_heads(v, options), {}, 0.0, options.causal);
  return out.transpose(1, 2).reshape(q.sizes()).to(q.scalar_type());
}

// In bfloat16 the kernel reads pairs of channels.
bool fits_attention(const at::Tensor& q, std::int64_t num_heads) {
  return fits_kernels(q) && (q.scalar_type() == at::kFloat || q.size(2) / num_heads % 2 == 0);
}

at::Tensor with_dense_rows(const at::Tensor& x) {
  return x.stride(2) == 1 && x.stride(1) % 2 == 0 && x.stride(0) % 2 == 0 ? x : x.contiguous();
}

kernels::AttentionProblem::Tokens tokens_of(const at::Tensor& x) {
  return {x.const_data_ptr(), x.stride(0), x.stride(1)};
}

// Every head's keys and values as whole numbers; undefined where the kernels have no use for them.
at::Tensor round_heads(const kernels::AttentionProblem& problem, const kernels::CpuKernels& kernels) {
  const auto bytes = kernels.rounded_head_bytes(problem), heads = problem.batch * problem.heads;
  if (bytes == 0) return {};
  auto out = pooled_empty({heads * bytes}, at::kByte);
  auto* const to = static_cast<char*>(out.mutable_data_ptr());
  const auto operations = static_cast<double>(heads * problem.keys * problem.head_dim);
  parallel_for_each(heads, operations,
                    [&](std::int64_t item, int) { kernels.round_head(problem, item, to + item * bytes); });
  return out;
}

at::Tensor kernel_attention(const at::Tensor& q_in, const at::Tensor& k_in, const at::Tensor& v_in,
                            const AttentionOptions& options) {
  const auto q = with_dense_rows(q_in), k = with_dense_rows(k_in), v = with_dense_rows(v_in);
  auto out = pooled_empty(q.sizes(), q.scalar_type());
  kernels::AttentionProblem problem{.q = tokens_of(q), .k = tokens_of(k), .v = tokens_of(v)};
  problem.out = out.mutable_data_ptr();
  problem.out_batch_stride = out.stride(0);
  problem.out_token_stride = out.stride(1);
  problem.element = element_of(q.scalar_type());
  problem.batch = q.size(0);
  problem.heads = options.num_heads;
  problem.head_dim = q.size(2) / options.num_heads;
  problem.queries = q.size(1);
  problem.keys = k.size(1);
  problem.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(problem.head_dim)));
  problem.causal = options.causal;
  const auto& kernels = *options.kernels;
  at::Tensor rounded;
  if (options.rounded && problem.keys >= kLeastRoundedKeys && !problem.causal) {
    rounded = round_heads(problem, kernels);
    problem.rounded = rounded.defined() ? rounded.const_data_ptr() : nullptr;
  }
  const Scratch scratch(kernels.attention_scratch(problem));
  const auto operations = 4.0 * static_cast<double>(q.numel() * problem.keys);
  parallel_for_each(kernels.attention_items(problem), operations,
                    [&](std::int64_t item, int worker) { kernels.attention(problem, item, scratch.of(worker)); });
  return out;
}

CudaAttention cuda_options(const AttentionOptions& options) {
  return {options.num_heads, options.causal, options.float32, options.cuda_kernel};
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options) {
  if (options.kernels != nullptr && fits_attention(q, options.num_heads)) return kernel_attention(q, k, v, options);
  if (const auto* cuda = cuda_ops(q)) return cuda->attention(q, k, v, cuda_options(options));
  return plain_attention(q, k, v, options);
}

}  // namespace fjord::ops
