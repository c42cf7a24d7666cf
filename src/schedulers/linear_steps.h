// A solver's steps as sums. Most solvers give a sum of what they were handed, with factors that the schedule alone
// decides: a GPU then needs one kernel for a step and never has to wait for it. The factors are found by asking the
// solver itself: a run is taken over tensors in which every sample, prediction and noise has a column of its own.
#pragma once

#include <fjord/torch/scheduler.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace fjord::schedulers {

// What evaluation i gives: the sum of factor * (what was handed to step() at evaluation i - lag).
struct LinearStep {
  struct Term {
    std::int64_t lag = 0;
    double factor = 0;
  };
  std::vector<Term> samples = {};      // smallest lag first
  std::vector<Term> predictions = {};  // likewise
  double noise = 0;                    // factor of the noise that is drawn
  bool draws = false;                  // noise is drawn once, whatever its factor
};

// The steps of evaluations first .. last - 1 of runs that `start` makes. None where they are no such sums: a limited
// clean sample, noise that depends on what went before or on the batch, noise drawn twice.
std::optional<std::vector<LinearStep>> linear_steps(const std::function<std::unique_ptr<SchedulerRun>()>& start,
                                                    std::int64_t first, std::int64_t last);

}  // namespace fjord::schedulers
