#include "core/sliced_thread.h"

#include "core/check.h"
#include "core/threads.h"

#include <utility>

namespace fjord {

std::chrono::steady_clock::time_point deadline_after(double milliseconds) {
  constexpr double kDay = 86'400'000;
  check(milliseconds >= 0 && milliseconds <= kDay, ErrorCode::kInvalidArgument,
        "a slice of time must be from 0 to 86400000 milliseconds, got ", milliseconds);
  const std::chrono::duration<double, std::milli> budget(milliseconds);
  return SlicedThread::Clock::now() + std::chrono::duration_cast<SlicedThread::Clock::duration>(budget);
}

SlicedThread::SlicedThread(std::function<void()> work) : work_(std::move(work)) {}

SlicedThread::~SlicedThread() {
  if (!thread_.joinable()) return;
  run_until(Clock::time_point::max());
  thread_.join();
}

bool SlicedThread::run_until(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  if (state_ == State::kDone) return false;
  deadline_ = deadline;
  fresh_ = thread_.joinable();  // a new thread has something to do before its first layer
  state_ = State::kRunning;
  if (!thread_.joinable()) {
    thread_ = std::thread([this] {
      name_thread("fjord-slice");
      const CheckpointScope scope(this);
      work_();
      const std::lock_guard done(mutex_);
      state_ = State::kDone;
      changed_.notify_all();
    });
  }
  changed_.notify_all();
  changed_.wait(lock, [this] { return state_ != State::kRunning; });
  return state_ != State::kDone;
}

void SlicedThread::note_time(Clock::time_point now) {
  if (layer_ != nullptr) expected_[layer_] = now - layer_begin_;
}

void SlicedThread::pass(const void* layer) {
  std::unique_lock lock(mutex_);
  const auto now = Clock::now();
  note_time(now);
  const auto expected = expected_.find(layer);
  const auto needed = expected == expected_.end() ? Clock::duration::zero() : expected->second;
  if (!fresh_ && deadline_ != Clock::time_point::max() && now + needed > deadline_) {
    state_ = State::kHeld;
    changed_.notify_all();
    changed_.wait(lock, [this] { return state_ == State::kRunning; });
  }
  fresh_ = false;
  layer_ = layer;
  layer_begin_ = Clock::now();
}

}  // namespace fjord
