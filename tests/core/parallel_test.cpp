#include "core/parallel.h"

#include "core/device.h"

#include <ATen/Parallel.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace fjord {
namespace {

TEST(ParallelForEach, EveryItemOnceWithAnyNumberOfThreads) {
  for (const int threads : {1, 2, 3, 8}) {
    const ThreadLimit limit(threads);
    std::vector<std::atomic<int>> counts(1001);
    parallel_for_each(1001, [&](std::int64_t i, int) { ++counts[static_cast<size_t>(i)]; });
    for (const auto& count : counts) EXPECT_EQ(count, 1) << threads << " threads";
  }
}

TEST(ParallelForEach, NothingToDo) {
  parallel_for_each(0, [](std::int64_t, int) { FAIL(); });
}

TEST(ParallelForEach, StaysWithinTheThreadLimit) {
  const ThreadLimit limit(2);
  std::atomic<int> running{0}, most{0};
  parallel_for_each(200, [&](std::int64_t, int) {
    const int now = ++running;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    --running;
  });
  EXPECT_LE(most, 2);
  EXPECT_GE(most, 1);
}

TEST(ParallelForEach, AnExceptionArrivesAndTheNextCallWorks) {
  const ThreadLimit limit(2);
  EXPECT_THROW(
      parallel_for_each(100, [](std::int64_t i, int) { i == 50 ? throw std::runtime_error("fifty") : void(); }),
      std::runtime_error);
  std::atomic<int> done{0};
  parallel_for_each(100, [&](std::int64_t, int) { ++done; });
  EXPECT_EQ(done, 100);
}

TEST(ParallelForEach, NestedCallsAndOperatorsRunOnTheirThread) {
  const ThreadLimit limit(2);
  std::atomic<int> done{0}, not_nested{0};
  parallel_for_each(4, [&](std::int64_t, int) {
    if (!at::in_parallel_region() && at::get_num_threads() > 1) ++not_nested;
    parallel_for_each(10, [&](std::int64_t, int) { ++done; });
  });
  EXPECT_EQ(done, 40);
  EXPECT_EQ(not_nested, 0);
}

TEST(ParallelForEach, KeepsTheCallersInferenceMode) {
  const ThreadLimit limit(2);
  const c10::InferenceMode mode;
  auto tensor = at::zeros({64});
  parallel_for_each(64, [&](std::int64_t i, int) { tensor.select(0, i).fill_(1); });
  EXPECT_EQ(tensor.sum().item<float>(), 64);
}

}  // namespace
}  // namespace fjord
