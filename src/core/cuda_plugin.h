// The CUDA plug-in, libfjord_cuda.so: opened at most once, at the first question about CUDA.
#pragma once

#include "core/cuda_driver.h"
#include "core/cuda_ops.h"

#include <string>

namespace fjord {

struct CudaPlugin {
  const CudaOps* ops = nullptr;  // null: CUDA is off
  std::string fault;             // why, as the end of a sentence
  CudaDriver driver;
  std::string path;  // of the plug-in, where one was looked for
};

// Opens LibTorch's CUDA library and then the plug-in if the driver serves a GPU that they are built for. Must be called
// before anything asks LibTorch about CUDA, since LibTorch keeps the answer to its first question for ever. The plug-in
// is looked for at $FJORD_CUDA_PLUGIN, or beside the library or program that holds this code.
const CudaPlugin& cuda_plugin();

// The same from given places, every time anew; for tests.
CudaPlugin open_cuda_plugin(const CudaDriver& driver, const std::string& path);

// The table for a CUDA tensor; null for others, and without plug-in. Never loads anything: a CUDA tensor exists only
// where the plug-in has been asked for.
const CudaOps* cuda_ops(const at::Tensor& x);
// Likewise for tensors of a device.
const CudaOps* cuda_ops(at::Device device);

// While it lives, `ops` stands for the plug-in's table and for tensors of every device: so that what is done with a
// GPU's functions can be tested without one. One at a time in a process.
class CudaOpsScope {
 public:
  explicit CudaOpsScope(const CudaOps* ops);
  ~CudaOpsScope();
  CudaOpsScope(const CudaOpsScope&) = delete;
  CudaOpsScope& operator=(const CudaOpsScope&) = delete;

 private:
  const CudaOps* previous_;
};

}  // namespace fjord
