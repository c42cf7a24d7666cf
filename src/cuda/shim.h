// Between CUDA tensors and the kernels: the functions of the plug-in's table (core/cuda_ops.h).
#pragma once

#include "core/cuda_ops.h"
#include "kernels/cuda/kernels.h"

#include <c10/core/ScalarType.h>

#include <string>

namespace fjord::cuda {

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const CudaAttention& options);
std::string attention_kernel(const at::Tensor& q, const at::Tensor& k, const CudaAttention& options);
at::Tensor group_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t groups,
                      double eps, bool silu);
SumAndNorm layer_norm(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& weight, const at::Tensor& bias,
                      double eps);
at::Tensor gated_gelu(const at::Tensor& x);
at::Tensor combine(const std::vector<at::Tensor>& terms, const at::Tensor& coefficients, const at::Tensor& step,
                   const at::Tensor& failed);
// softmax(scores) over rows of float32 scores [rows, keys], in `dtype`.
at::Tensor softmax(const at::Tensor& scores, float scale, at::ScalarType dtype);

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const CudaSum& sum);
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                       std::int64_t padding, const CudaSum& sum);

std::unique_ptr<CudaGraph> record(const std::function<void()>& f);
std::unique_ptr<CudaMark> mark(const at::Tensor& flag);
at::Tensor upload(const at::Tensor& x, at::Device device);
at::Tensor rest(const at::Tensor& x);
void release_memory();
std::int64_t peak_memory(int device);
std::string device_fault();

// What the shims share.
bool is_element(at::ScalarType dtype);
kernels::cuda::Element element_of(at::ScalarType dtype);
// Whether a tensor's memory begins at a multiple of 16 bytes.
bool is_aligned(const at::Tensor& x);
kernels::cuda::Stream stream_of(const at::Tensor& x);
// Throws for a launch that did not work.
void check_launch(int error, const char* kernel);

}  // namespace fjord::cuda
