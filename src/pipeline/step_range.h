// The steps of a run that a request asks for.
#pragma once

#include <fjord/denoising_range.h>

#include <cstdint>
#include <vector>

namespace fjord::pipeline {

// Indices into a run's timesteps: first included, last excluded.
struct StepRange {
  size_t first = 0;
  size_t last = 0;
};

// Throws Error(kInvalidArgument) unless 0 <= begin < end <= 1.
void check_denoising_range(const DenoisingRange& range);

// A run ends before the timesteps that lie below its end, and begins at the first that lies below its begin.
// `train_steps`: timesteps of the training. Throws Error(kInvalidArgument) if no step remains.
StepRange steps_within(const DenoisingRange& range, const std::vector<double>& timesteps, std::int64_t train_steps);

}  // namespace fjord::pipeline
