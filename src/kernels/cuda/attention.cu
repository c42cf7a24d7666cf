// The attention kernels and their launches.
#include "kernels/cuda/flash_attention_body.h"
#include "kernels/cuda/hardware.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/text_attention_body.h"

#include <algorithm>

namespace fjord::kernels::cuda {
namespace {

extern __shared__ __align__(128) unsigned char shared_memory[];

template <Element kElement, int kHeadDim>
__global__ void __launch_bounds__(FlashTile<kHeadDim>::kThreads)
    flash_attention_kernel(const __grid_constant__ AttentionProblem problem) {
  Hardware hw(shared_memory);
  FlashAttention<kElement, kHeadDim, Hardware>(hw, problem).run();
}

template <Element kElement, int kHeadDim>
__global__ void __launch_bounds__(TextTile<kHeadDim>::kThreads, 2)
    text_attention_kernel(const __grid_constant__ AttentionProblem problem) {
  Hardware hw(shared_memory);
  TextAttention<kElement, kHeadDim, Hardware>(hw, problem).run();
}

template <Element kElement, int kHeadDim>
int launch_flash(const AttentionProblem& p, int, Stream stream) {
  using Tile = FlashTile<kHeadDim>;
  const dim3 grid(blocks(p.queries, Tile::kQueries), static_cast<unsigned>(p.batch * p.heads));
  return launch(flash_attention_kernel<kElement, kHeadDim>, {grid, Tile::kThreads, Tile::kSharedBytes}, stream, p);
}

template <Element kElement, int kHeadDim>
int launch_text(const AttentionProblem& p, int multiprocessors, Stream stream) {
  using Tile = TextTile<kHeadDim>;
  const dim3 grid(static_cast<unsigned>(text_attention_blocks(p, multiprocessors)),
                  static_cast<unsigned>(p.batch * p.heads));
  return launch(text_attention_kernel<kElement, kHeadDim>, {grid, Tile::kThreads, Tile::shared_bytes(p.keys)}, stream,
                p);
}

// Calls f.operator()<element, head size>().
template <Element kElement, typename F>
int for_head_dim(int head_dim, const F& f) {
  switch (head_dim) {
    case 40: return f.template operator()<kElement, 40>();
    case 64: return f.template operator()<kElement, 64>();
    case 80: return f.template operator()<kElement, 80>();
    case 128: return f.template operator()<kElement, 128>();
    case 160: return f.template operator()<kElement, 160>();
    default: return static_cast<int>(cudaErrorInvalidValue);
  }
}

template <typename F>
int for_kind(const AttentionProblem& p, const F& f) {
  switch (p.element) {
    case Element::kFloat16: return for_head_dim<Element::kFloat16>(p.head_dim, f);
    case Element::kBFloat16: return for_head_dim<Element::kBFloat16>(p.head_dim, f);
    default: return static_cast<int>(cudaErrorInvalidValue);
  }
}

}  // namespace

int flash_attention(const AttentionProblem& p, Stream stream) {
  return for_kind(p, [&]<Element kElement, int kHeadDim>() { return launch_flash<kElement, kHeadDim>(p, 0, stream); });
}

int text_attention(const AttentionProblem& p, int multiprocessors, Stream stream) {
  return for_kind(
      p, [&]<Element kElement, int kHeadDim>() { return launch_text<kElement, kHeadDim>(p, multiprocessors, stream); });
}

const char* error_text(int error) { return cudaGetErrorString(static_cast<cudaError_t>(error)); }

}  // namespace fjord::kernels::cuda
