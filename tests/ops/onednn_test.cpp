#include "ops/onednn.h"

#include "support/seeded_weights.h"

#include <ATen/ops/conv2d.h>
#include <gtest/gtest.h>

namespace fjord {
namespace {

TEST(PackedConvolution, IsTheConvolution) {
  const auto x = testing::normal(1, {2, 16, 11, 14}).contiguous(at::MemoryFormat::ChannelsLast);
  const auto weight = testing::normal(2, {24, 16, 3, 3}), bias = testing::normal(3, {24});
  const auto packed = ops::pack_convolution(weight, {2, 1});
  if (!packed.defined()) GTEST_SKIP() << "this LibTorch has no oneDNN";
  const auto out = ops::packed_convolution(x, packed, bias, {2, 1});
  EXPECT_LT(testing::relative_error(out, at::conv2d(x, weight, bias, 2, 1)), 1e-6);
}

TEST(PackedConvolution, FloatingPointOfOtherSizesIsNotPacked) {
  EXPECT_FALSE(ops::pack_convolution(testing::normal(1, {8, 8, 3, 3}).to(at::kDouble), {1, 1}).defined());
}

}  // namespace
}  // namespace fjord
