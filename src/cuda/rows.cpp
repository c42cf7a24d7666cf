#include "core/check.h"
#include "cuda/shim.h"
#include "kernels/cuda/layout.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/silu.h>
#include <c10/cuda/CUDAGuard.h>

#include <algorithm>
#include <array>

namespace fjord::cuda {
namespace {

// Whether a kernel can read `count` numbers at a time by vectors of 16 bytes.
bool fits(const at::Tensor& x, std::int64_t count) {
  return is_element(x.scalar_type()) && count * x.element_size() % kernels::cuda::kChunkBytes == 0 && is_aligned(x);
}

bool same_type(const at::Tensor& x, std::initializer_list<at::Tensor> others) {
  return std::all_of(others.begin(), others.end(), [&](const at::Tensor& other) {
    return other.scalar_type() == x.scalar_type() && other.is_contiguous() && is_aligned(other);
  });
}

}  // namespace

at::Tensor group_norm(const at::Tensor& x_in, const at::Tensor& weight, const at::Tensor& bias, std::int64_t groups,
                      double eps, bool silu) {
  const c10::cuda::CUDAGuard guard(x_in.device());
  const auto x = x_in.dim() == 4 ? x_in.contiguous(at::MemoryFormat::ChannelsLast) : x_in;
  if (x.dim() != 4 || !fits(x, x.size(1)) || !same_type(x, {weight, bias})) {
    const auto y = at::group_norm(x, groups, weight, bias, eps);
    return silu ? at::silu(y) : y;
  }
  auto out = at::empty_like(x, at::MemoryFormat::ChannelsLast);
  kernels::cuda::GroupNormProblem problem{.x = x.const_data_ptr(),
                                          .out = out.mutable_data_ptr(),
                                          .weight = weight.const_data_ptr(),
                                          .bias = bias.const_data_ptr(),
                                          .element = element_of(x.scalar_type()),
                                          .batch = static_cast<int>(x.size(0)),
                                          .pixels = static_cast<int>(x.size(2) * x.size(3)),
                                          .channels = static_cast<int>(x.size(1)),
                                          .groups = static_cast<int>(groups),
                                          .eps = static_cast<float>(eps),
                                          .silu = silu};
  auto workspace = at::empty({static_cast<std::int64_t>(kernels::cuda::group_norm_workspace(problem))},
                             x.options().dtype(at::kByte));
  problem.workspace = workspace.mutable_data_ptr();
  check_launch(kernels::cuda::group_norm(problem, stream_of(x)), "group_norm");
  return out;
}

SumAndNorm layer_norm(const at::Tensor& x_in, const at::Tensor& residual_in, const at::Tensor& weight,
                      const at::Tensor& bias, double eps) {
  const c10::cuda::CUDAGuard guard(x_in.device());
  const auto x = x_in.contiguous();
  const auto residual = residual_in.defined() ? residual_in.contiguous() : at::Tensor();
  const auto features = x.size(-1);
  const bool aligned = fits(x, features) && (!residual.defined() || same_type(x, {residual}));
  if (!aligned || features > kernels::cuda::kLayerNormMaxFeatures || !same_type(x, {weight, bias})) {
    const auto sum = residual.defined() ? x.add(residual) : x;
    return {residual.defined() ? sum : at::Tensor(), at::layer_norm(sum, {features}, weight, bias, eps)};
  }
  SumAndNorm out{residual.defined() ? at::empty_like(x) : at::Tensor(), at::empty_like(x)};
  const kernels::cuda::LayerNormProblem problem{.x = x.const_data_ptr(),
                                                .residual = residual.defined() ? residual.const_data_ptr() : nullptr,
                                                .sum = residual.defined() ? out.sum.mutable_data_ptr() : nullptr,
                                                .out = out.normed.mutable_data_ptr(),
                                                .weight = weight.const_data_ptr(),
                                                .bias = bias.const_data_ptr(),
                                                .element = element_of(x.scalar_type()),
                                                .rows = x.numel() / features,
                                                .features = static_cast<int>(features),
                                                .eps = static_cast<float>(eps)};
  check_launch(kernels::cuda::layer_norm(problem, stream_of(x)), "layer_norm");
  return out;
}

at::Tensor gated_gelu(const at::Tensor& x_in) {
  const c10::cuda::CUDAGuard guard(x_in.device());
  const auto x = x_in.contiguous();
  const auto features = x.size(-1) / 2;
  if (!fits(x, features)) {
    const auto halves = x.chunk(2, -1);
    return halves[0].mul(at::gelu(halves[1]));
  }
  auto sizes = x.sizes().vec();
  sizes.back() = features;
  auto out = at::empty(sizes, x.options());
  const kernels::cuda::GatedGeluProblem problem{x.const_data_ptr(), out.mutable_data_ptr(), element_of(x.scalar_type()),
                                                out.numel() / features, static_cast<int>(features)};
  check_launch(kernels::cuda::gated_gelu(problem, stream_of(x)), "gated_gelu");
  return out;
}

at::Tensor softmax(const at::Tensor& scores, float scale, at::ScalarType dtype) {
  auto out = at::empty(scores.sizes(), scores.options().dtype(dtype));
  const kernels::cuda::SoftmaxProblem problem{
      scores.const_data_ptr<float>(),   out.mutable_data_ptr(),           element_of(dtype),
      static_cast<int>(scores.size(0)), static_cast<int>(scores.size(1)), scale};
  check_launch(kernels::cuda::softmax(problem, stream_of(scores)), "softmax");
  return out;
}

at::Tensor combine(const std::vector<at::Tensor>& terms, const at::Tensor& coefficients, const at::Tensor& step,
                   const at::Tensor& failed) {
  constexpr auto kMost = static_cast<size_t>(kernels::cuda::CombineProblem::kMaxTerms);
  check(!terms.empty() && terms.size() <= kMost, ErrorCode::kInternal, "combine takes 1 to ", kMost, " terms, got ",
        terms.size());
  const c10::cuda::CUDAGuard guard(terms[0].device());
  std::vector<at::Tensor> plain;
  for (const auto& term : terms) {
    check(term.sizes() == terms[0].sizes() && term.scalar_type() == terms[0].scalar_type() &&
              is_element(term.scalar_type()),
          ErrorCode::kInternal, "combine needs terms of one shape and type");
    plain.push_back(term.contiguous());
    if (!is_aligned(plain.back())) plain.back() = plain.back().clone();
  }
  auto out = at::empty(terms[0].sizes(), terms[0].options());
  kernels::cuda::CombineProblem problem;
  for (size_t i = 0; i < plain.size(); ++i) problem.terms[i] = plain[i].const_data_ptr();
  problem.term_count = static_cast<int>(plain.size());
  problem.coefficients = coefficients.const_data_ptr<float>();
  problem.step = step.defined() ? step.const_data_ptr<int>() : nullptr;
  problem.out = out.mutable_data_ptr();
  problem.failed = failed.defined() ? failed.mutable_data_ptr<int>() : nullptr;
  problem.element = element_of(out.scalar_type());
  problem.count = out.numel();
  check_launch(kernels::cuda::combine(problem, stream_of(out)), "combine");
  return out;
}

}  // namespace fjord::cuda
