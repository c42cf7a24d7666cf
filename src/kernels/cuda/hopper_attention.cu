// Hopper's attention and its launch, with the tensor maps that the bulk copies read through.
#include "kernels/cuda/hopper_attention_body.h"
#include "kernels/cuda/hopper_hardware.cuh"
#include "kernels/cuda/launch.cuh"

namespace fjord::kernels::cuda {
namespace {

struct TensorMaps {
  CUtensorMap q, k, v;
};

extern __shared__ __align__(1024) unsigned char shared_memory[];

template <Element kElement, int kHeadDim>
__global__ void __launch_bounds__(HopperTile<kHeadDim>::kThreads, 1)
    hopper_attention_kernel(const __grid_constant__ AttentionProblem problem, const __grid_constant__ TensorMaps maps) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  HopperHardware hw(shared_memory);
  HopperAttention<kElement, kHeadDim, HopperHardware, TensorMaps>(hw, problem, maps).run();
#endif
}

// cuTensorMapEncodeTiled, by way of the runtime: nothing is linked to the driver.
using Encode = decltype(&cuTensorMapEncodeTiled);

Encode find_encode() {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult result{};
  const auto error =
      cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &result);
  return error == cudaSuccess && result == cudaDriverEntryPointSuccess ? reinterpret_cast<Encode>(function) : nullptr;
}

// A tensor of tokens as {channels, heads, tokens, batch}; a box is one panel of one head. What lies outside is read as
// zeros: channels past the head's size, tokens past the last.
int encode(Encode function, const AttentionProblem& p, const AttentionProblem::Tokens& tokens, int count, int rows,
           CUtensorMap& map) {
  const cuuint64_t extents[4] = {static_cast<cuuint64_t>(p.head_dim), static_cast<cuuint64_t>(p.heads),
                                 static_cast<cuuint64_t>(count), static_cast<cuuint64_t>(p.batch)};
  const cuuint64_t strides[3] = {static_cast<cuuint64_t>(2 * tokens.head_stride),
                                 static_cast<cuuint64_t>(2 * tokens.token_stride),
                                 static_cast<cuuint64_t>(2 * tokens.batch_stride)};
  const cuuint32_t box[4] = {kPanelColumns, 1, static_cast<cuuint32_t>(rows), 1}, steps[4] = {1, 1, 1, 1};
  const auto type = p.element == Element::kFloat16 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16 : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
  const auto result = function(&map, type, 4, const_cast<void*>(tokens.data), extents, strides, box, steps,
                               CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                               CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  return result == CUDA_SUCCESS ? 0 : static_cast<int>(cudaErrorInvalidValue);
}

template <Element kElement, int kHeadDim>
int launch_hopper(const AttentionProblem& p, Stream stream) {
  using Tile = HopperTile<kHeadDim>;
  static const Encode function = find_encode();
  if (function == nullptr) return static_cast<int>(cudaErrorSymbolNotFound);
  TensorMaps maps;
  if (const int error = encode(function, p, p.q, p.queries, Tile::kQueries, maps.q)) return error;
  if (const int error = encode(function, p, p.k, p.keys, Tile::kKeys, maps.k)) return error;
  if (const int error = encode(function, p, p.v, p.keys, Tile::kKeys, maps.v)) return error;
  const dim3 grid(blocks(p.queries, Tile::kQueries), static_cast<unsigned>(p.batch * p.heads));
  return launch(hopper_attention_kernel<kElement, kHeadDim>, {grid, Tile::kThreads, Tile::kReservedBytes}, stream, p,
                maps);
}

template <Element kElement>
int for_head_dim(const AttentionProblem& p, Stream stream) {
  switch (p.head_dim) {
    case 40: return launch_hopper<kElement, 40>(p, stream);
    case 64: return launch_hopper<kElement, 64>(p, stream);
    case 80: return launch_hopper<kElement, 80>(p, stream);
    case 160: return launch_hopper<kElement, 160>(p, stream);
    default: return static_cast<int>(cudaErrorInvalidValue);
  }
}

}  // namespace

int hopper_attention(const AttentionProblem& p, Stream stream) {
  switch (p.element) {
    case Element::kFloat16: return for_head_dim<Element::kFloat16>(p, stream);
    case Element::kBFloat16: return for_head_dim<Element::kBFloat16>(p, stream);
    default: return static_cast<int>(cudaErrorInvalidValue);
  }
}

}  // namespace fjord::kernels::cuda
