// NVIDIA's driver as this process finds it: opened at run time, so that a machine without one is only told so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fjord {

struct CudaGpu {
  std::string name;
  int capability = 0;        // 10 * major + minor
  std::uint64_t memory = 0;  // bytes
};

struct CudaDriver {
  std::string fault;  // why no GPU can be used, as the end of a sentence; empty: one can
  int version = 0;    // highest CUDA version of the driver, 1000 * major + 10 * minor; 0: unknown
  std::vector<CudaGpu> gpus;
};

// What the plug-in and LibTorch are built for.
constexpr int kCudaVersion = 13000;
constexpr int kLeastCapability = 80;

// Asks the library `name` (libcuda.so.1). Loads nothing of LibTorch.
CudaDriver probe_cuda_driver(const std::string& name = "libcuda.so.1");

}  // namespace fjord
