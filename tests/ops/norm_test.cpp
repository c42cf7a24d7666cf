#include "ops/norm.h"

#include "core/device.h"
#include "ops/every_kernel.h"

#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/silu.h>

namespace fjord {
namespace {

using Norm = testing::EveryKernel;

TEST_P(Norm, GroupNormOfAnySize) {
  for (const auto& [channels, groups] : {std::pair{64, 8}, {40, 8}, {96, 32}, {7, 1}}) {
    for (const auto& [height, width] : {std::pair{1, 1}, {3, 5}, {40, 33}}) {
      const auto x = random_map(1, {2, channels, height, width}) * 3 + 1;
      const auto weight = testing::normal(2, {channels}), bias = testing::normal(3, {channels});
      const auto expected =
          at::group_norm(x.to(at::kDouble), groups, weight.to(at::kDouble), bias.to(at::kDouble), 1e-6);
      SCOPED_TRACE(::testing::Message() << channels << " channels, " << height << "x" << width);
      expect_close(ops::group_norm(x, weight, bias, {groups, 1e-6, false}, kernels()), expected, 3e-6, 4e-3);
      expect_close(ops::group_norm(x, weight, bias, {groups, 1e-6, true}, kernels()), at::silu(expected), 3e-6, 4e-3);
    }
  }
}

TEST_P(Norm, GroupNormInPlaceGivesTheSameInTheMemoryOfX) {
  auto x = random_map(1, {2, 40, 9, 13});
  const auto weight = testing::normal(2, {40}), bias = testing::normal(3, {40});
  const auto expected = ops::group_norm(x, weight, bias, {8, 1e-6, true}, kernels());
  const auto y = ops::group_norm(x, weight, bias, {8, 1e-6, true, /*in_place=*/true}, kernels());
  EXPECT_TRUE(y.equal(expected));
  EXPECT_EQ(y.const_data_ptr(), x.const_data_ptr());
}

TEST_P(Norm, GroupNormKeepsItsDigitsUnderALargeMean) {
  if (!is_float()) GTEST_SKIP() << "bfloat16 itself has no digits left here";
  const auto x = random_map(1, {1, 32, 20, 20}) + 1000;
  const auto weight = testing::normal(2, {32}), bias = testing::normal(3, {32});
  const auto expected = at::group_norm(x.to(at::kDouble), 4, weight.to(at::kDouble), bias.to(at::kDouble), 1e-5);
  expect_close(ops::group_norm(x, weight, bias, {4, 1e-5, false}, kernels()), expected, 2e-4, 0);
}

TEST_P(Norm, GroupNormIsTheSameWithAnyNumberOfThreads) {
  const auto x = random_map(1, {2, 64, 50, 50});
  const auto weight = testing::normal(2, {64}), bias = testing::normal(3, {64});
  const auto with_threads = [&](int threads) {
    const ThreadLimit limit(threads);
    return ops::group_norm(x, weight, bias, {32, 1e-5, true}, kernels());
  };
  EXPECT_TRUE(with_threads(1).equal(with_threads(3)));
}

TEST_P(Norm, LayerNormOfAnySize) {
  for (const std::int64_t features : {1, 15, 320, 770}) {
    const auto x = random(1, {3, 37, features}) * 2 - 1;
    const auto weight = testing::normal(2, {features}), bias = testing::normal(3, {features});
    const auto expected =
        at::layer_norm(x.to(at::kDouble), {features}, weight.to(at::kDouble), bias.to(at::kDouble), 1e-5);
    SCOPED_TRACE(features);
    expect_close(ops::layer_norm(x, weight, bias, 1e-5, kernels()), expected, 3e-6, 4e-3);
  }
}

FJORD_FOR_EVERY_KERNEL(Norm);

}  // namespace
}  // namespace fjord
