// Graphs and what else keeps the host from waiting for a GPU.
#include "core/check.h"
#include "cuda/shim.h"

#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cuda_runtime_api.h>

#include <map>
#include <mutex>

namespace fjord::cuda {
namespace {

// Recording happens on a stream of its own, one for each GPU: LibTorch gives every stream a workspace.
struct Recorder {
  c10::cuda::CUDAStream stream = c10::cuda::getStreamFromPool();
  c10::MempoolId_t pool = at::cuda::graph_pool_handle();  // shared by all graphs, which never run side by side
};

std::mutex recording;

Recorder& recorder(c10::DeviceIndex device) {
  static std::map<c10::DeviceIndex, Recorder> recorders;  // under `recording`
  return recorders[device];
}

// What libraries set up for a thread or a stream at their first use there must not be recorded.
void wake_libraries() {
  const auto tiny = at::zeros({16, 16}, at::TensorOptions().device(at::kCUDA));
  at::mm(tiny, tiny);
  at::conv2d(tiny.view({1, 1, 16, 16}), tiny.view({1, 1, 16, 16}));
}

class Recorded : public CudaGraph {
 public:
  explicit Recorded(const std::function<void()>& f) {
    const std::lock_guard lock(recording);
    const auto& own = recorder(c10::cuda::current_device());
    const c10::cuda::CUDAStreamGuard guard(own.stream);
    wake_libraries();
    // Other threads may do what they like meanwhile.
    graph_.capture_begin(own.pool, cudaStreamCaptureModeThreadLocal);
    try {
      f();
      graph_.capture_end();
    } catch (...) {
      abandon(own);
      throw;
    }
  }

  void replay() override { graph_.replay(); }

 private:
  // Leaves stream and allocators as they were: capture_end() does not where something failed before it or in it.
  static void abandon(const Recorder& own) {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    cudaStreamIsCapturing(own.stream.stream(), &status);
    if (status != cudaStreamCaptureStatusNone) {
      cudaGraph_t half = nullptr;
      cudaStreamEndCapture(own.stream.stream(), &half);
      if (half != nullptr) cudaGraphDestroy(half);
    }
    cudaGetLastError();  // so that later calls do not see it
    const auto device = own.stream.device_index();
    try {
      c10::cuda::CUDACachingAllocator::endAllocateToPool(device, own.pool);
    } catch (const c10::Error&) {
      return;  // capture_end() came so far, and the graph gives the pool back
    }
    at::getHostAllocator(at::kCUDA)->end_allocate_to_pool(own.pool);
    c10::cuda::CUDACachingAllocator::releasePool(device, own.pool);
    at::getHostAllocator(at::kCUDA)->release_pool(own.pool);
  }

  at::cuda::CUDAGraph graph_;
};

class Mark : public CudaMark {
 public:
  explicit Mark(const at::Tensor& flag)
      : flag_(at::empty({1}, at::TensorOptions().dtype(at::kInt).pinned_memory(true))) {
    const c10::cuda::CUDAGuard guard(flag.device());
    const auto stream = stream_of(flag);
    C10_CUDA_CHECK(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming | cudaEventBlockingSync));
    C10_CUDA_CHECK(cudaMemcpyAsync(flag_.mutable_data_ptr(), flag.const_data_ptr(), sizeof(std::int32_t),
                                   cudaMemcpyDeviceToHost, stream));
    C10_CUDA_CHECK(cudaEventRecord(event_, stream));
  }
  // The copy may be under way still: its memory must not be given to others before.
  ~Mark() override {
    cudaEventSynchronize(event_);
    cudaEventDestroy(event_);
  }
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;

  std::int32_t wait() override {
    C10_CUDA_CHECK(cudaEventSynchronize(event_));
    return *flag_.const_data_ptr<std::int32_t>();
  }

 private:
  at::Tensor flag_;
  cudaEvent_t event_ = nullptr;
};

}  // namespace

std::unique_ptr<CudaGraph> record(const std::function<void()>& f) { return std::make_unique<Recorded>(f); }

std::unique_ptr<CudaMark> mark(const at::Tensor& flag) { return std::make_unique<Mark>(flag); }

at::Tensor upload(const at::Tensor& x, at::Device device) {
  if (!x.is_cpu()) return x.to(device);
  const auto pinned = x.is_pinned() ? x : x.pin_memory();
  return pinned.to(device, x.scalar_type(), /*non_blocking=*/true, /*copy=*/false);
}

at::Tensor rest(const at::Tensor& x) { return x.to(at::kCPU).pin_memory(); }

}  // namespace fjord::cuda
