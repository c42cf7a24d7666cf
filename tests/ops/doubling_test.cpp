// The folded convolution against a 3x3 convolution of the doubled map: the same sums in another order.
#include "ops/doubling.h"

#include "ops/wrap.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <gtest/gtest.h>

#include <vector>

namespace fjord::ops {
namespace {

struct Sizes {
  std::int64_t batch, in, out, height, width;
};

const std::vector<Sizes> kSizes = {
    {1, 1, 1, 1, 1}, {2, 3, 5, 4, 6}, {1, 8, 16, 7, 3}, {3, 16, 4, 1, 9}, {1, 5, 7, 16, 2}};

double difference(const at::Tensor& x, const at::Tensor& y) { return (x - y).abs().max().item<double>(); }

TEST(DoublingTest, EqualsConvolutionOfTheDoubledMap) {
  for (const auto& s : kSizes) {
    const auto x = at::randn({s.batch, s.in, s.height, s.width}, at::kDouble);
    const auto weight = at::randn({s.out, s.in, 3, 3}, at::kDouble), bias = at::randn({s.out}, at::kDouble);
    const auto expected = at::conv2d(at::upsample_nearest2d(x, {2 * s.height, 2 * s.width}), weight, bias, 1, 1);
    const auto folded = fold_doubling(weight);
    EXPECT_EQ(folded.sizes(), at::IntArrayRef({4 * s.out, s.in, 2, 2}));
    const auto result = place_doubled(at::conv2d(x, folded, bias.repeat({4}), 1, 1));
    ASSERT_EQ(result.sizes(), expected.sizes());
    EXPECT_LE(difference(result, expected), 1e-12) << s.height << "x" << s.width;
    EXPECT_TRUE(result.is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

TEST(DoublingTest, SeesTheOtherBorderOfAWrappedMap) {
  const auto x = at::randn({1, 4, 5, 6}, at::kDouble), weight = at::randn({3, 4, 3, 3}, at::kDouble);
  for (const auto& wrap : {Wrap{true, false}, Wrap{false, true}, Wrap{true, true}}) {
    const WrapScope scope(wrap);
    const auto doubled = at::upsample_nearest2d(x, {10, 12});
    const auto expected = at::conv2d(padded(doubled, {1, 1, 1, 1}), weight);
    const auto result = place_doubled(at::conv2d(padded(x, {1, 1, 1, 1}), fold_doubling(weight)));
    EXPECT_LE(difference(result, expected), 1e-12);
  }
}

// One rounding of the sums: at most half a step of bfloat16, 2^-8 of the value.
TEST(DoublingTest, RoundsSumsOnce) {
  const auto weight = at::randn({4, 4, 3, 3}, at::kFloat).to(at::kBFloat16);
  const auto exact = fold_doubling(weight.to(at::kDouble));
  const auto error = (fold_doubling(weight).to(at::kDouble) - exact).abs();
  EXPECT_TRUE((error <= exact.abs() / 256 + 1e-6).all().item<bool>());
}

}  // namespace
}  // namespace fjord::ops
