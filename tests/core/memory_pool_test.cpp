#include "core/memory_pool.h"

#include "core/device.h"
#include "core/parallel.h"
#include "support/error_of.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace fjord {
namespace {

TEST(MemoryPool, GivesMemoryThatCanBeWrittenAndIsAligned) {
  const auto pool = MemoryPool::create(MemoryPool::Pages::kLarge);
  for (const std::int64_t size : {0, 1, 100, 1 << 20}) {
    const auto x = pool->empty({size}, at::kFloat);
    EXPECT_EQ(x.sizes(), at::IntArrayRef{size});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(x.const_data_ptr()) % 64, 0u);
    x.fill_(3);
    EXPECT_EQ(x.sum().item<float>(), 3.0f * static_cast<float>(size));
  }
}

TEST(MemoryPool, TensorsOfOneTimeNeverOverlap) {
  const auto pool = MemoryPool::create(MemoryPool::Pages::kLarge);
  std::mt19937 random(1);
  std::vector<at::Tensor> alive;
  for (int i = 0; i < 2000; ++i) {
    if (alive.size() > 40) alive.erase(alive.begin() + static_cast<std::ptrdiff_t>(random() % alive.size()));
    alive.push_back(pool->empty({1 + static_cast<std::int64_t>(random() % 5000)}, at::kInt).fill_(i));
    const auto& one = alive[random() % alive.size()];
    ASSERT_TRUE((one == one[0]).all().item<bool>());
  }
}

TEST(MemoryPool, UsesMemoryAgainAndJoinsNeighbours) {
  const auto pool = MemoryPool::create(MemoryPool::Pages::kLarge);
  for (int round = 0; round < 20; ++round) {
    std::vector<at::Tensor> parts;
    for (int i = 0; i < 8; ++i) parts.push_back(pool->empty({4 << 20}, at::kByte));
    parts.clear();
    pool->empty({48 << 20}, at::kByte);
  }
  EXPECT_EQ(pool->capacity(), size_t{64} << 20);
}

TEST(MemoryPool, LivesAsLongAsItsTensors) {
  auto pool = MemoryPool::create(MemoryPool::Pages::kLarge);
  const auto x = pool->empty({1000}, at::kFloat).fill_(2);
  pool.reset();
  EXPECT_EQ(x.sum().item<float>(), 2000);
}

TEST(MemoryPool, SaysWhenThereIsNotEnough) {
  const auto pool = MemoryPool::create(MemoryPool::Pages::kLarge);
  const auto error = testing::error_of([&] { pool->empty({std::int64_t{1} << 60}, at::kByte); });
  EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory);
  EXPECT_EQ(pool->empty({10}, at::kByte).numel(), 10);
}

TEST(PoolScope, IsSeenByTheThreadsOfTheCaller) {
  const ThreadLimit limit(2);
  const auto pool = MemoryPool::create(MemoryPool::Pages::kLarge);
  EXPECT_EQ(PoolScope::active(), nullptr);
  {
    const PoolScope scope(pool.get());
    parallel_for_each(50, [&](std::int64_t, int) { EXPECT_EQ(PoolScope::active(), pool.get()); });
    pooled_empty({10}, at::kFloat);
    const PoolScope inner(nullptr);
    EXPECT_EQ(PoolScope::active(), nullptr);
  }
  EXPECT_EQ(PoolScope::active(), nullptr);
  EXPECT_GT(pool->capacity(), 0u);
  EXPECT_EQ(pooled_empty({10}, at::kFloat).numel(), 10);
}

TEST(MemoryPool, GivesFreeMemoryThatIsTooSmallBackBeforeItGrows) {
  const auto pool = MemoryPool::create(MemoryPool::Pages::kSmall);
  const std::int64_t small = std::int64_t{80} << 20, large = std::int64_t{200} << 20;
  auto kept = pool->empty({small}, at::kByte);
  auto freed = pool->empty({small}, at::kByte);
  EXPECT_EQ(pool->capacity(), static_cast<size_t>(2 * small));
  kept.fill_(7);
  freed.reset();
  const auto grown = pool->empty({large}, at::kByte);
  EXPECT_EQ(pool->capacity(), static_cast<size_t>(small + large));
  EXPECT_TRUE(kept.eq(7).all().item<bool>());
}

}  // namespace
}  // namespace fjord
