// Work on a thread of its own that goes on only in slices of time. It is held at checkpoints (core/checkpoint.h), so a
// call deep in a network need not know that it is cut into pieces.
#pragma once

#include "core/checkpoint.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace fjord {

// When a slice of so many milliseconds that begins now ends. Throws Error(kInvalidArgument) unless 0 to a day.
std::chrono::steady_clock::time_point deadline_after(double milliseconds);

class SlicedThread : private Checkpoint {
 public:
  using Clock = std::chrono::steady_clock;

  // `work` begins with the first slice and must not throw.
  explicit SlicedThread(std::function<void()> work);
  // Lets work that has begun run to its end, and waits for it; tell it to stop before.
  ~SlicedThread() override;
  SlicedThread(const SlicedThread&) = delete;
  SlicedThread& operator=(const SlicedThread&) = delete;

  // Lets the work go on until it is done or its next layer would not end before `deadline`, by the time that this layer
  // took the last time; one layer at least is done. Returns true while work remains. From one thread at a time.
  bool run_until(Clock::time_point deadline);

 private:
  enum class State { kHeld, kRunning, kDone };
  void pass(const void* layer) override;
  void note_time(Clock::time_point now);

  std::function<void()> work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::kHeld;
  Clock::time_point deadline_;
  bool fresh_ = false;                                         // nothing was done in this slice yet
  std::unordered_map<const void*, Clock::duration> expected_;  // by layer
  const void* layer_ = nullptr;                                // that runs now
  Clock::time_point layer_begin_;
  std::thread thread_;
};

}  // namespace fjord
