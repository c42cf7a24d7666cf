#include "ops/attention.h"

#include <ATen/ops/scaled_dot_product_attention.h>

namespace fjord::ops {
namespace {

// [batch, tokens, heads * head_dim] -> [batch, heads, tokens, head_dim]
at::Tensor split_heads(const at::Tensor& x, const AttentionOptions& options) {
  const auto heads = x.view({x.size(0), x.size(1), options.num_heads, -1}).transpose(1, 2);
  return options.float32 ? heads.to(at::kFloat) : heads;
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options) {
  const auto out = at::scaled_dot_product_attention(split_heads(q, options), split_heads(k, options),
                                                    split_heads(v, options), {}, 0.0, options.causal);
  return out.transpose(1, 2).reshape(q.sizes()).to(q.scalar_type());
}

}  // namespace fjord::ops
