// Random streams equal to PyTorch's: `torch.manual_seed(seed)` on the CPU, or on a GPU.
#pragma once

#include <fjord/reproduction.h>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace fjord {

// Standard normal numbers for a batch. One stream for the whole batch, or one stream per image.
class NoiseStream {
 public:
  // One stream, as diffusers with one generator.
  explicit NoiseStream(std::uint64_t seed, NoiseSource source = NoiseSource::kTorchCpu);
  // Image i draws from a stream of its own, seeded with seeds[i], as diffusers with a list of generators.
  explicit NoiseStream(const std::vector<std::uint64_t>& seeds, NoiseSource source = NoiseSource::kTorchCpu);

  // The next float32 numbers, on the CPU. With one stream per image, the first shape[0] of them are drawn from.
  at::Tensor draw(at::IntArrayRef shape);

 private:
  struct Stream {
    std::uint64_t seed = 0;
    std::uint64_t calls = 0;
    at::Generator generator;  // undefined: Philox
  };
  static at::Tensor next(Stream& stream, at::IntArrayRef shape);

  std::vector<Stream> streams_;
};

}  // namespace fjord
