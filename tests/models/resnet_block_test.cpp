// What ResnetBlock2D does with the memory of its input.
#include "models/common/resnet_block.h"

#include "core/memory_pool.h"
#include "support/seeded_weights.h"

#include <ATen/ops/empty_like.h>
#include <gtest/gtest.h>

namespace fjord {
namespace {

constexpr std::int64_t kChannels = 128, kSize = 24;
constexpr std::int64_t kLargeSize = 288;  // 42 MB, where a pool grows by 67 MB

// Half as many channels out, so that there is a shortcut.
class ResnetBlock : public ::testing::Test {
 protected:
  ResnetBlock()
      : block_({nullptr, "", at::kFloat}, {.in_channels = kChannels, .out_channels = kChannels / 2, .groups = 8}) {
    std::uint64_t seed = 0;
    for (const auto& parameter : block_.named_parameters()) {
      parameter.tensor->copy_(testing::normal(++seed, parameter.tensor->sizes()));
    }
    block_.pack_all(*kernels::supported_cpu_kernels()[0]);
  }
  static at::Tensor input(MemoryPool& pool, std::int64_t size = kSize) {
    auto x = pool.empty({1, size, size, kChannels}, at::kFloat).permute({0, 3, 1, 2});
    return x.copy_(testing::normal(9, x.sizes()));
  }

  models::ResnetBlock2D block_;
};

TEST_F(ResnetBlock, KeepsAnInputThatSomeoneHolds) {
  const auto pool = MemoryPool::create(MemoryPool::Pages::kSmall);
  const auto x = input(*pool), before = x.clone();
  block_.forward(x, {});
  EXPECT_TRUE(x.equal(before));
}

TEST_F(ResnetBlock, ComputesTheSameInTheMemoryOfAnInputThatNobodyHolds) {
  const auto pool = MemoryPool::create(MemoryPool::Pages::kSmall);
  const PoolScope scope(pool.get());
  const auto x = input(*pool);
  const auto kept = block_.forward(x, {});
  EXPECT_TRUE(block_.forward(input(*pool), {}).equal(kept));
}

TEST_F(ResnetBlock, NeedsLessMemoryForAnInputThatNobodyHolds) {
  const auto needed = [&](bool hold) {
    const auto pool = MemoryPool::create(MemoryPool::Pages::kSmall);
    const PoolScope scope(pool.get());
    auto x = input(*pool, kLargeSize);
    const auto held = hold ? x : at::Tensor();
    block_.forward(std::move(x), {});
    return pool->capacity();
  };
  EXPECT_LT(needed(false), needed(true));
}

}  // namespace
}  // namespace fjord
