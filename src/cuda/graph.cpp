#include "core/check.h"
#include "cuda/shim.h"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

namespace fjord::cuda {
namespace {

class Recorded : public CudaGraph {
 public:
  explicit Recorded(const std::function<void()>& f) {
    const auto own = c10::cuda::getStreamFromPool();
    c10::cuda::device_synchronize();
    {
      const c10::cuda::CUDAStreamGuard guard(own);
      for (int i = 0; i < 2; ++i) f();  // libraries choose their algorithms and take their memory
      own.synchronize();
      graph_.capture_begin();
      f();
      graph_.capture_end();
    }
    c10::cuda::device_synchronize();
  }

  void replay() override { graph_.replay(); }

 private:
  at::cuda::CUDAGraph graph_;
};

}  // namespace

std::unique_ptr<CudaGraph> record(const std::function<void()>& f) { return std::make_unique<Recorded>(f); }

}  // namespace fjord::cuda
