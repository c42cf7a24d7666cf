#include "ops/winograd.h"

#include "core/device.h"
#include "ops/every_kernel.h"
#include "ops/few_bits.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/upsample_nearest2d.h>

namespace fjord {
namespace {

using Winograd = testing::EveryKernel;

at::Tensor exact(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::conv2d(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble), 1, 1);
}

TEST_P(Winograd, AnySizeAndAnyNumberOfChannels) {
  for (const auto& [height, width] : {std::pair{1, 1}, {4, 4}, {5, 7}, {16, 30}}) {
    for (const auto& [in, out] : {std::pair{16, 32}, {20, 70}, {130, 64}, {3, 5}}) {
      const auto x = random_map(1, {2, in, height, width});
      const auto weight = random(2, {out, in, 3, 3}), bias = testing::normal(3, {out});
      SCOPED_TRACE(::testing::Message() << height << "x" << width << ", " << in << " to " << out);
      expect_close(
          ops::winograd(x, ops::pack_winograd(testing::plain_weight(weight), dtype(), kernels()), bias, {}, kernels()),
          exact(x, weight, bias), 5e-6, 4e-3);
    }
  }
}

TEST_P(Winograd, EnlargesAddsTheImagesBiasAndTheResidual) {
  const auto x = random_map(1, {2, 32, 9, 6}), residual = random_map(2, {2, 48, 17, 13});
  const auto weight = random(3, {48, 32, 3, 3}), bias = testing::normal(4, {48}),
             image_bias = testing::normal(5, {2, 48});
  const auto out = ops::winograd(x, ops::pack_winograd(testing::plain_weight(weight), dtype(), kernels()), bias,
                                 {ops::ImageSize{17, 13}, image_bias, residual}, kernels());
  const auto enlarged = at::upsample_nearest2d(x.to(at::kDouble), {17, 13});
  expect_close(
      out,
      exact(enlarged, weight, bias) + image_bias.to(at::kDouble).unsqueeze(-1).unsqueeze(-1) + residual.to(at::kDouble),
      5e-6, 4e-3);
  EXPECT_TRUE(out.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST_P(Winograd, ManyTilesAreDoneInPartsWithTheSameResult) {
  const auto x = random_map(1, {1, 64, 136, 140});
  const auto weight = random(2, {32, 64, 3, 3}), bias = testing::normal(3, {32});
  const auto packed = ops::pack_winograd(testing::plain_weight(weight), dtype(), kernels());
  const auto with_threads = [&](int threads) {
    const ThreadLimit limit(threads);
    return ops::winograd(x, packed, bias, {}, kernels());
  };
  const auto out = with_threads(1);
  expect_close(out, exact(x, weight, bias), 5e-6, 4e-3);
  EXPECT_TRUE(out.equal(with_threads(3)));
}

TEST_P(Winograd, WeightsOfFewBitsAreTheNumbersThatTheyStandFor) {
  for (const auto kind : {kernels::WeightKind::kInt8, kernels::WeightKind::kInt4}) {
    for (const auto& [in, out] : {std::pair{16, 32}, {70, 130}, {3, 5}, {129, 64}}) {
      const auto x = random_map(1, {2, in, 9, 14});
      const auto bias = testing::normal(2, {out});
      const auto stored = testing::in_few_bits(testing::normal(3, {out, in, 3, 3}), kind);
      const auto meant = testing::meaning_of(stored).view({out, in, 3, 3});
      SCOPED_TRACE(::testing::Message() << in << " to " << out << ", kind " << static_cast<int>(kind));
      expect_close(ops::winograd(x, ops::pack_winograd(stored, dtype(), kernels()), bias, {}, kernels()),
                   exact(x, meant, bias), 5e-6, 4e-3);
    }
  }
}

TEST_P(Winograd, TakesMapsThatAreNotChannelsLast) {
  const auto x = random(1, {1, 16, 10, 10});
  const auto weight = random(2, {32, 16, 3, 3}), bias = testing::normal(3, {32});
  expect_close(
      ops::winograd(x, ops::pack_winograd(testing::plain_weight(weight), dtype(), kernels()), bias, {}, kernels()),
      exact(x, weight, bias), 5e-6, 4e-3);
}

// Against direct summation in float32: the reason for the points that src/kernels/cpu/winograd.cpp names.
TEST_P(Winograd, ErrsAtMostThreeTimesAsMuchAsTheDirectSum) {
  if (!is_float()) GTEST_SKIP() << "bfloat16 rounds its results more coarsely than this";
  const auto x = random_map(1, {1, 320, 32, 32});
  const auto weight = random(2, {320, 320, 3, 3}), bias = testing::normal(3, {320});
  const auto expected = exact(x, weight, bias);
  const auto rms = [&](const at::Tensor& y) {
    return (y.to(at::kDouble) - expected).square().mean().sqrt().item<double>();
  };
  const auto ours =
      ops::winograd(x, ops::pack_winograd(testing::plain_weight(weight), dtype(), kernels()), bias, {}, kernels());
  EXPECT_LT(rms(ours), 3 * rms(at::conv2d(x, weight, bias, 1, 1)));
}

FJORD_FOR_EVERY_KERNEL(Winograd);

}  // namespace
}  // namespace fjord
