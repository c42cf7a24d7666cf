// Random streams equal to PyTorch's: `torch.manual_seed(seed)` on the CPU.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace fjord {

// Standard normal numbers for a batch. One stream for the whole batch, or one stream per image.
class NoiseStream {
 public:
  // One stream, as diffusers with one torch.Generator("cpu").
  explicit NoiseStream(std::uint64_t seed);
  // Image i draws from a stream of its own, seeded with seeds[i], as diffusers with a list of generators.
  explicit NoiseStream(const std::vector<std::uint64_t>& seeds);

  // The next float32 numbers, on the CPU. With one stream per image, the first shape[0] of them are drawn from.
  at::Tensor draw(at::IntArrayRef shape);

 private:
  std::vector<at::Generator> generators_;
};

}  // namespace fjord
