// What the CUDA plug-in (src/cuda) offers to the rest: a table of functions on CUDA tensors, as kernels::CpuKernels is
// one on CPU memory. Layers that find no table, or no function that fits, call LibTorch's operators.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fjord {

// A recorded sequence of kernels that can be started at once, on the tensors that it was recorded with.
class CudaGraph {
 public:
  virtual ~CudaGraph() = default;
  virtual void replay() = 0;
};

// A point in the work that a GPU was given.
class CudaMark {
 public:
  virtual ~CudaMark() = default;
  // Waits until the GPU has come there; gives the flag as it was then.
  virtual std::int32_t wait() = 0;
};

struct CudaAttention {
  std::int64_t heads = 1;
  bool causal = false;
  bool float32 = false;  // scores and softmax in float32 whatever the inputs' type; our kernels always do
  std::string kind = "auto";
};

// The sum and its normalised form.
struct SumAndNorm {
  at::Tensor sum;
  at::Tensor normed;
};

// What is added to a product or a convolution besides its bias, and how.
struct CudaSum {
  at::Tensor residual = {};  // shaped as the result; may be undefined
  bool fused = false;        // by the product itself where its library can
  bool timed = false;        // by the fastest of the library's algorithms for the shape, searched once
};

struct CudaOps {
  // Rises with every change of this table: a plug-in of another build is refused.
  static constexpr int kVersion = 2;

  int version = 0;

  // softmax(q k^T / sqrt(head_dim)) v, tensors as ops::attention has them.
  at::Tensor (*attention)(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const CudaAttention& options);
  // The name of the kernel that attention() takes for such tensors.
  std::string (*attention_kernel)(const at::Tensor& q, const at::Tensor& k, const CudaAttention& options);
  // x [batch, channels, ...], channels last in memory or copied so; the result is channels last. `silu`: then SiLU.
  at::Tensor (*group_norm)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t groups,
                           double eps, bool silu);
  // Over the last dimension of x + residual; `residual` may be undefined, and so is then the sum.
  SumAndNorm (*layer_norm)(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& weight,
                           const at::Tensor& bias, double eps);
  // [..., 2 * features] -> [..., features]: first half times the exact GELU of the second.
  at::Tensor (*gated_gelu)(const at::Tensor& x);
  // sum of coefficients[step, i] * terms[i]; float32 coefficients [steps, 8] and int32 step [1] on the GPU; without a
  // step, float32 coefficients [8]. `failed` (int32 [1] on the GPU; may be undefined) becomes 1 where a sum is not
  // finite.
  at::Tensor (*combine)(const std::vector<at::Tensor>& terms, const at::Tensor& coefficients, const at::Tensor& step,
                        const at::Tensor& failed);

  // x [..., in] W^T + bias + sum.residual; weight [out, in], bias [out] or undefined.
  at::Tensor (*linear)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const CudaSum& sum);
  // 2-d convolution, channels last, likewise; stride and padding on both sides alike.
  at::Tensor (*convolution)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, std::int64_t stride,
                            std::int64_t padding, const CudaSum& sum);

  // Records what `f` starts, without running it: what is chosen or set up at a first run must have been run before. Its
  // tensors must stay alive. Memory that `f` takes is shared by all graphs, so that the results of one are lost when
  // another is replayed. Throws what `f` throws, and c10::Error for work that cannot be recorded.
  std::unique_ptr<CudaGraph> (*record)(const std::function<void()>& f);
  // The point after all that the GPU was given so far. flag: int32 [1] on the GPU.
  std::unique_ptr<CudaMark> (*mark)(const at::Tensor& flag);
  // A tensor of main memory on the GPU, without waiting for the copy.
  at::Tensor (*upload)(const at::Tensor& x, at::Device device);
  // A copy in main memory that can be uploaded fast.
  at::Tensor (*rest)(const at::Tensor& x);
  // To be called at the end of a request: keeps what was learned about this GPU, and says, a sentence each, what of the
  // faster ways did not serve in this process.
  std::vector<std::string> (*end_request)();
  // Gives cached memory of LibTorch's allocator back to the driver.
  void (*release_memory)();
  // The most bytes that tensors took on the GPU since the last call.
  std::int64_t (*peak_memory)(int device);
  // Why the CUDA runtime can use no GPU; empty where it can.
  std::string (*device_fault)();
};

}  // namespace fjord
