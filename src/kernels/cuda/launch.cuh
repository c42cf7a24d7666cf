// From the numbers of a problem to a launch.
#pragma once

#include "kernels/cuda/kernels.h"

#include <cuda_runtime_api.h>

namespace fjord::kernels::cuda {

struct LaunchShape {
  dim3 grid;
  int threads = 0;
  int shared_bytes = 0;
};

// Launches `kernel`(problem, extra...); more than 48 KiB of shared memory must be asked for first.
template <typename... Parameters, typename... Arguments>
int launch(void (*kernel)(Parameters...), const LaunchShape& shape, Stream stream, const Arguments&... arguments) {
  if (shape.shared_bytes > 48 * 1024) {
    const auto set = cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                          cudaFuncAttributeMaxDynamicSharedMemorySize, shape.shared_bytes);
    if (set != cudaSuccess) return static_cast<int>(set);
  }
  kernel<<<shape.grid, static_cast<unsigned>(shape.threads), static_cast<size_t>(shape.shared_bytes), stream>>>(
      arguments...);
  return static_cast<int>(cudaGetLastError());
}

inline unsigned blocks(Index count, Index size) { return static_cast<unsigned>((count + size - 1) / size); }

}  // namespace fjord::kernels::cuda
