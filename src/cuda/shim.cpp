#include "cuda/shim.h"

#include "core/check.h"
#include "cuda/tuning.h"

#include <ATen/Context.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAStream.h>

#include <cuda_runtime_api.h>

#include <bit>

namespace fjord::cuda {

bool is_element(at::ScalarType dtype) { return dtype == at::kFloat || dtype == at::kHalf || dtype == at::kBFloat16; }

kernels::cuda::Element element_of(at::ScalarType dtype) {
  if (dtype == at::kFloat) return kernels::cuda::Element::kFloat32;
  return dtype == at::kHalf ? kernels::cuda::Element::kFloat16 : kernels::cuda::Element::kBFloat16;
}

bool is_aligned(const at::Tensor& x) { return std::bit_cast<std::uintptr_t>(x.const_data_ptr()) % 16 == 0; }

kernels::cuda::Stream stream_of(const at::Tensor& x) {
  return c10::cuda::getCurrentCUDAStream(x.device().index()).stream();
}

void check_launch(int error, const char* kernel) {
  check(error == 0, error == cudaErrorMemoryAllocation ? ErrorCode::kOutOfMemory : ErrorCode::kInternal,
        "the CUDA kernel ", kernel, " did not start: ", kernels::cuda::error_text(error));
}

std::string device_fault() {
  int count = 0;
  const auto error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess) return count > 0 ? "" : "there is no GPU";
  cudaGetLastError();  // so that later calls do not see it
  return cudaGetErrorString(error);
}

void release_memory() { c10::cuda::CUDACachingAllocator::emptyCache(); }

std::int64_t peak_memory(int device) {
  const auto index = static_cast<c10::DeviceIndex>(device);
  const auto peak = c10::cuda::CUDACachingAllocator::getDeviceStats(index).allocated_bytes[0].peak;
  c10::cuda::CUDACachingAllocator::resetPeakStats(index);
  return peak;
}

namespace {

constexpr CudaOps kOps = {.version = CudaOps::kVersion,
                          .attention = attention,
                          .attention_kernel = attention_kernel,
                          .group_norm = group_norm,
                          .layer_norm = layer_norm,
                          .gated_gelu = gated_gelu,
                          .combine = combine,
                          .linear = linear,
                          .convolution = convolution,
                          .record = record,
                          .mark = mark,
                          .upload = upload,
                          .rest = rest,
                          .end_request = end_request,
                          .release_memory = release_memory,
                          .peak_memory = peak_memory,
                          .device_fault = device_fault};

}  // namespace
}  // namespace fjord::cuda

// The plug-in's only door; core/cuda_plugin.cpp knocks.
extern "C" __attribute__((visibility("default"))) const fjord::CudaOps* fjord_cuda_ops() {
  at::globalContext().setBenchmarkCuDNN(true);  // convolutions: the fastest engine of each shape, found once
  return &fjord::cuda::kOps;
}
