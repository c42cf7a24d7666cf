#include "core/sliced_thread.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace fjord {
namespace {

using Clock = SlicedThread::Clock;

class Counter : public Checkpoint {
 public:
  void pass(const void* layer) override { layers.push_back(layer); }
  std::vector<const void*> layers;
};

TEST(CheckpointTest, WithoutAScopeNothingHolds) { pass_checkpoint(nullptr); }

TEST(CheckpointTest, AllScopesOfTheThreadArePassedTheInnerFirst) {
  Counter outer, inner;
  const int layer = 0;
  const CheckpointScope first(&outer);
  {
    const CheckpointScope second(&inner), none(nullptr);
    pass_checkpoint(&layer);
  }
  pass_checkpoint(nullptr);
  EXPECT_EQ(inner.layers, (std::vector<const void*>{&layer}));
  EXPECT_EQ(outer.layers, (std::vector<const void*>{&layer, nullptr}));
}

TEST(CheckpointTest, ScopesAreOfOneThread) {
  Counter counter;
  const CheckpointScope scope(&counter);
  std::thread([] { pass_checkpoint(nullptr); }).join();
  EXPECT_TRUE(counter.layers.empty());
}

TEST(SlicedThreadTest, WithoutTimeOneLayerIsDoneASlice) {
  int done = 0;
  const std::vector<int> layers(10);
  SlicedThread thread([&] {
    for (const auto& layer : layers) {
      pass_checkpoint(&layer);
      ++done;
    }
  });
  EXPECT_EQ(done, 0);
  EXPECT_TRUE(thread.run_until(Clock::now()));  // up to the first layer
  EXPECT_EQ(done, 0);
  for (int i = 1; i < 10; ++i) {
    EXPECT_TRUE(thread.run_until(Clock::now()));
    EXPECT_EQ(done, i);
  }
  EXPECT_FALSE(thread.run_until(Clock::now()));
  EXPECT_EQ(done, 10);
  EXPECT_FALSE(thread.run_until(Clock::now()));
}

TEST(SlicedThreadTest, ALayerThatWouldNotEndInTimeWaits) {
  const int layer = 0;
  int done = 0;
  SlicedThread thread([&] {
    for (int i = 0; i < 3; ++i) {
      pass_checkpoint(&layer);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      ++done;
    }
  });
  EXPECT_TRUE(thread.run_until(Clock::now()));
  EXPECT_TRUE(thread.run_until(Clock::now() + std::chrono::milliseconds(1)));
  EXPECT_EQ(done, 1);
  // It took 20 ms, so a second one does not fit into the 10 ms that may be left of 30.
  EXPECT_TRUE(thread.run_until(Clock::now() + std::chrono::milliseconds(30)));
  EXPECT_EQ(done, 2);
}

TEST(SlicedThreadTest, TheEndIsWaitedFor) {
  int done = 0;
  {
    SlicedThread thread([&] {
      pass_checkpoint(nullptr);
      done = 1;
    });
    thread.run_until(Clock::now());
  }
  EXPECT_EQ(done, 1);
}

TEST(SlicedThreadTest, WorkThatNeverBeganIsNotRun) {
  const SlicedThread thread([] { FAIL(); });
}

}  // namespace
}  // namespace fjord
