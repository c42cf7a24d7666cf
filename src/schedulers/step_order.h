// The promise of SchedulerRun::step that `i` rises by one from call to call, kept by every run.
#pragma once

#include "core/check.h"

#include <cstdint>

namespace fjord::schedulers {

class StepOrder {
 public:
  explicit StepOrder(std::int64_t count) : count_(count) {}

  // Throws kInvalidArgument unless i is an evaluation of the run.
  void check_index(std::int64_t i) const {
    check(i >= 0 && i < count_, ErrorCode::kInvalidArgument, "expected a step index from 0 to ", count_ - 1, ", got ",
          i);
  }

  // The first call may name any step, because img2img starts in the middle.
  void advance(std::int64_t i) {
    check_index(i);
    check(next_ < 0 || i == next_, ErrorCode::kInvalidArgument, "steps must be taken in order: expected step ", next_,
          ", got ", i);
    next_ = i + 1;
  }

 private:
  std::int64_t count_;
  std::int64_t next_ = -1;
};

}  // namespace fjord::schedulers
