#include "ops/cpu_tensors.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

namespace fjord {
namespace {

TEST(JoinChannels, IsCatForAnyMemoryFormat) {
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const auto a = at::randn({2, 5, 9, 31}).to(dtype), b = at::randn({2, 3, 9, 31}).to(dtype);
    const auto last = [](const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); };
    const auto expected = at::cat({a, b}, 1);
    EXPECT_TRUE(ops::join_channels(a, b).equal(expected));
    EXPECT_TRUE(ops::join_channels(last(a), b).equal(expected));
    EXPECT_TRUE(ops::join_channels(last(a), last(b)).equal(expected));
    EXPECT_TRUE(ops::join_channels(last(a), last(b)).is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

TEST(Pixels, ThereAndBackIsAView) {
  const auto map = at::randn({2, 5, 4, 3}).contiguous(at::MemoryFormat::ChannelsLast);
  const auto pixels = ops::to_pixels(map);
  EXPECT_EQ(pixels.sizes(), (std::vector<std::int64_t>{2, 12, 5}));
  EXPECT_EQ(pixels.const_data_ptr(), map.const_data_ptr());
  const auto back = ops::to_map(pixels, map.sizes());
  EXPECT_EQ(back.const_data_ptr(), map.const_data_ptr());
  EXPECT_TRUE(back.equal(map));
}

TEST(Scratch, IsAlignedAndApartForEveryWorker) {
  const ops::Scratch scratch(100);
  for (int worker = 0; worker < parallel_workers(); ++worker) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(scratch.of(worker)) % 64, 0u);
  }
}

}  // namespace
}  // namespace fjord
