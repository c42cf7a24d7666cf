// Random numbers by a counter: Philox 4x32-10 of "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
#pragma once

#include <cstdint>
#include <span>

namespace fjord {

// Standard normal numbers, as PyTorch draws them on an NVIDIA GPU in its call number `call` (from 0) of a generator
// seeded with `seed`, for as many numbers as the GPU runs threads at a time.
void philox_normal(std::uint64_t seed, std::uint64_t call, std::span<float> out);

}  // namespace fjord
