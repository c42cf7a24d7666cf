#include "ops/attention.h"

#include "core/device.h"
#include "ops/every_kernel.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

namespace fjord {
namespace {

using Attention = testing::EveryKernel;

at::Tensor exact(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads, bool causal) {
  const auto split = [&](const at::Tensor& x) {
    return x.to(at::kDouble).view({x.size(0), x.size(1), heads, -1}).transpose(1, 2);
  };
  return at::scaled_dot_product_attention(split(q), split(k), split(v), {}, 0.0, causal)
      .transpose(1, 2)
      .reshape(q.sizes());
}

TEST_P(Attention, AnyHeadSizeAndAnyNumberOfTokens) {
  for (const std::int64_t head_dim : {2, 8, 24, 40, 64, 80, 160, 512}) {
    for (const std::int64_t queries : {1, 63, 130}) {
      for (const std::int64_t keys : {1, 77, 121}) {
        const auto q = random(1, {2, queries, 3 * head_dim}), k = random(2, {2, keys, 3 * head_dim}),
                   v = random(3, {2, keys, 3 * head_dim});
        const auto out = ops::attention(q, k, v, {.num_heads = 3, .kernels = &kernels()});
        SCOPED_TRACE(::testing::Message() << head_dim << " channels, " << queries << " queries, " << keys << " keys");
        expect_close(out, exact(q, k, v, 3, false), 2e-6, 8e-3);
      }
    }
  }
}

TEST_P(Attention, CausalSeesNothingLater) {
  const auto q = random(1, {1, 150, 128}), k = random(2, {1, 150, 128}), v = random(3, {1, 150, 128});
  const auto out = ops::attention(q, k, v, {.num_heads = 2, .causal = true, .kernels = &kernels()});
  expect_close(out, exact(q, k, v, 2, true), 2e-6, 8e-3);
}

TEST_P(Attention, LargeScoresNeitherOverflowNorVanish) {
  const auto q = random(1, {1, 70, 40}) * 60, k = random(2, {1, 200, 40}) * 60, v = random(3, {1, 200, 40});
  const auto out = ops::attention(q, k, v, {.num_heads = 1, .kernels = &kernels()});
  expect_close(out, exact(q, k, v, 1, false), 2e-3, 2e-2);  // scores of thousands: their last digits decide
}

TEST_P(Attention, ViewsOfAWiderTensorAreReadInPlace) {
  const auto all = random(1, {2, 50, 3 * 80});
  const auto parts = all.chunk(3, -1);
  const auto out = ops::attention(parts[0], parts[1], parts[2], {.num_heads = 2, .kernels = &kernels()});
  expect_close(out, exact(parts[0], parts[1], parts[2], 2, false), 2e-6, 8e-3);
}

TEST_P(Attention, SameResultWithAnyNumberOfThreads) {
  const auto q = random(1, {2, 300, 80}), k = random(2, {2, 77, 80}), v = random(3, {2, 77, 80});
  const auto with_threads = [&](int threads) {
    const ThreadLimit limit(threads);
    return ops::attention(q, k, v, {.num_heads = 2, .kernels = &kernels()});
  };
  EXPECT_TRUE(with_threads(1).equal(with_threads(3)));
}

TEST_P(Attention, AnOddHeadSizeWorksInEveryDtype) {
  const auto q = random(1, {1, 20, 15}), k = random(2, {1, 20, 15}), v = random(3, {1, 20, 15});
  const auto out = ops::attention(q, k, v, {.num_heads = 3, .kernels = &kernels()});
  expect_close(out, exact(q, k, v, 3, false), 2e-6, 8e-3);
}

// 0.8 to 0.95 % is what queries and keys rounded to bytes cost when everything else is float64 (by PyTorch).
TEST_P(Attention, RoundedErrsByTheRoundingOfQueriesAndKeys) {
  for (const std::int64_t head_dim : {2, 24, 40, 64, 80, 160}) {
    const auto q = random(1, {2, 130, 3 * head_dim}), v = random(3, {2, 301, 3 * head_dim});
    const auto k = (random(2, {2, 301, 3 * head_dim}).to(at::kFloat) + 20).to(dtype());  // their mean does not count
    const auto out = ops::attention(q, k, v, {.num_heads = 3, .rounded = true, .kernels = &kernels()});
    SCOPED_TRACE(::testing::Message() << head_dim << " channels");
    const auto wanted = exact(q, k, v, 3, false);
    EXPECT_LT((out.to(at::kDouble) - wanted).std().item<double>() / wanted.std().item<double>(), 0.0105);
  }
}

TEST_P(Attention, RoundedKeepsTheTailOfFlatAttention) {
  // One key far above 4000 others that matter only together.
  auto q = at::ones({1, 64, 40}), k = at::zeros({1, 4001, 40});
  k.select(1, 7).fill_(1.1);
  const auto v = testing::normal(3, {1, 4001, 40}) + 1;
  const auto rounded = [&](const at::Tensor& x) { return x.to(dtype()); };
  const auto out =
      ops::attention(rounded(q), rounded(k), rounded(v), {.num_heads = 1, .rounded = true, .kernels = &kernels()});
  expect_close(out, exact(rounded(q), rounded(k), rounded(v), 1, false), 5e-3, 1e-2);
}

TEST_P(Attention, RoundedOfNothingButZerosIsZero) {
  const auto zeros = at::zeros({1, 300, 40}, dtype());
  const auto out = ops::attention(zeros, zeros, zeros, {.num_heads = 1, .rounded = true, .kernels = &kernels()});
  EXPECT_TRUE(out.equal(zeros));
}

TEST_P(Attention, FewKeysAreNotRounded) {
  const auto q = random(1, {1, 50, 80}), k = random(2, {1, 77, 80}), v = random(3, {1, 77, 80});
  const auto with = [&](bool rounded) {
    return ops::attention(q, k, v, {.num_heads = 2, .rounded = rounded, .kernels = &kernels()});
  };
  EXPECT_TRUE(with(true).equal(with(false)));
}

FJORD_FOR_EVERY_KERNEL(Attention);

}  // namespace
}  // namespace fjord
