#include "pipeline/step_range.h"

#include "core/check.h"

#include <algorithm>
#include <cmath>

namespace fjord::pipeline {
namespace {

// Timesteps below it belong to the part after `fraction`. Rounds halves to even, as the reference does.
double cutoff(double fraction, std::int64_t train_steps) {
  const auto all = static_cast<double>(train_steps);
  return std::nearbyint(all - fraction * all);
}

size_t count_below(const std::vector<double>& timesteps, double limit) {
  return static_cast<size_t>(std::count_if(timesteps.begin(), timesteps.end(), [&](double t) { return t < limit; }));
}

// A solver that evaluates a timestep twice must not be cut between the two.
size_t begin_of_pair(size_t i, const std::vector<double>& timesteps) {
  return i > 0 && i < timesteps.size() && timesteps[i] == timesteps[i - 1] ? i - 1 : i;
}

}  // namespace

void check_denoising_range(const DenoisingRange& range) {
  check(range.begin >= 0 && range.begin < range.end && range.end <= 1, ErrorCode::kInvalidArgument,
        "the denoising range must lie within 0 to 1 and not run backwards, got ", range.begin, " to ", range.end);
}

StepRange steps_within(const DenoisingRange& range, const std::vector<double>& timesteps, std::int64_t train_steps) {
  StepRange steps{0, timesteps.size()};
  if (range.begin > 0) {
    steps.first = begin_of_pair(timesteps.size() - count_below(timesteps, cutoff(range.begin, train_steps)), timesteps);
  }
  if (range.end < 1) steps.last = timesteps.size() - count_below(timesteps, cutoff(range.end, train_steps));
  check(steps.first < steps.last, ErrorCode::kInvalidArgument, "the denoising range ", range.begin, " to ", range.end,
        " holds none of the ", timesteps.size(), " steps");
  return steps;
}

}  // namespace fjord::pipeline
