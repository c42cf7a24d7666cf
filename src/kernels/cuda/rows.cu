// Normalisation, activation, softmax and combination: kernels and launches.
#include "kernels/cuda/group_norm_body.h"
#include "kernels/cuda/hardware.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/rows_body.h"

#include <algorithm>

namespace fjord::kernels::cuda {
namespace {

extern __shared__ __align__(128) unsigned char shared_memory[];

template <Element kElement>
__global__ void __launch_bounds__(GroupNormTile::kThreads)
    group_norm_sums_kernel(const __grid_constant__ GroupNormProblem problem, int part, int parts) {
  Hardware hw(shared_memory);
  GroupNorm<kElement, Hardware>(hw, problem, part, parts).sums();
}

template <Element kElement>
__global__ void __launch_bounds__(GroupNormTile::kThreads)
    group_norm_factors_kernel(const __grid_constant__ GroupNormProblem problem, int part, int parts) {
  Hardware hw(shared_memory);
  GroupNorm<kElement, Hardware>(hw, problem, part, parts).factors();
}

template <Element kElement>
__global__ void __launch_bounds__(GroupNormTile::kThreads)
    group_norm_apply_kernel(const __grid_constant__ GroupNormProblem problem, int part, int parts) {
  Hardware hw(shared_memory);
  GroupNorm<kElement, Hardware>(hw, problem, part, parts).apply();
}

template <Element kElement>
__global__ void __launch_bounds__(LayerNormTile<kElement>::kWarps* kWarp)
    layer_norm_kernel(const __grid_constant__ LayerNormProblem problem) {
  Hardware hw(shared_memory);
  layer_norm_row<kElement>(hw, problem);
}

template <Element kElement>
__global__ void __launch_bounds__(kElementwiseThreads)
    gated_gelu_kernel(const __grid_constant__ GatedGeluProblem problem) {
  Hardware hw(shared_memory);
  gated_gelu_elements<kElement>(hw, problem);
}

template <Element kElement>
__global__ void __launch_bounds__(kElementwiseThreads) softmax_kernel(const __grid_constant__ SoftmaxProblem problem) {
  Hardware hw(shared_memory);
  softmax_row<kElement>(hw, problem);
}

template <Element kElement>
__global__ void __launch_bounds__(kElementwiseThreads) combine_kernel(const __grid_constant__ CombineProblem problem) {
  Hardware hw(shared_memory);
  combine_elements<kElement>(hw, problem);
}

constexpr int kReductionBytes = 32 * static_cast<int>(sizeof(float));
constexpr unsigned kMostBlocks = 4096;  // of elementwise kernels, whose threads then do several vectors

template <Element kElement>
int launch_group_norm(const GroupNormProblem& p, Stream stream) {
  const int vectors = p.channels / ElementTraits<kElement>::kVector;
  const int part = group_norm_part(p.pixels), parts = group_norm_parts(p.pixels);
  const auto batch = static_cast<unsigned>(p.batch);
  const dim3 over_pixels(static_cast<unsigned>(parts), batch, static_cast<unsigned>(PixelShare::tiles(vectors)));
  const dim3 over_groups(static_cast<unsigned>(p.groups), batch);
  constexpr int kThreads = GroupNormTile::kThreads, kBytes = GroupNorm<kElement, Hardware>::kSharedBytes;
  if (const int error =
          launch(group_norm_sums_kernel<kElement>, {over_pixels, kThreads, kBytes}, stream, p, part, parts))
    return error;
  if (const int error =
          launch(group_norm_factors_kernel<kElement>, {over_groups, kThreads, kReductionBytes}, stream, p, part, parts))
    return error;
  return launch(group_norm_apply_kernel<kElement>, {over_pixels, kThreads, 0}, stream, p, part, parts);
}

template <Element kElement>
int launch_layer_norm(const LayerNormProblem& p, Stream stream) {
  constexpr int kWarps = LayerNormTile<kElement>::kWarps;
  return launch(layer_norm_kernel<kElement>, {dim3(blocks(p.rows, kWarps)), kWarps * kWarp, 0}, stream, p);
}

template <Element kElement>
LaunchShape over_vectors(Index elements) {
  const auto wanted = blocks(elements, Index{kElementwiseThreads} * ElementTraits<kElement>::kVector);
  return {dim3(std::clamp(wanted, 1U, kMostBlocks)), kElementwiseThreads, 0};
}

template <typename F>
int for_element(Element element, const F& f) {
  switch (element) {
    case Element::kFloat32: return f.template operator()<Element::kFloat32>();
    case Element::kFloat16: return f.template operator()<Element::kFloat16>();
    case Element::kBFloat16: return f.template operator()<Element::kBFloat16>();
  }
  return static_cast<int>(cudaErrorInvalidValue);
}

}  // namespace

int group_norm(const GroupNormProblem& p, Stream stream) {
  return for_element(p.element, [&]<Element kElement>() { return launch_group_norm<kElement>(p, stream); });
}

int layer_norm(const LayerNormProblem& p, Stream stream) {
  return for_element(p.element, [&]<Element kElement>() { return launch_layer_norm<kElement>(p, stream); });
}

int gated_gelu(const GatedGeluProblem& p, Stream stream) {
  return for_element(p.element, [&]<Element kElement>() {
    return launch(gated_gelu_kernel<kElement>, over_vectors<kElement>(p.rows * p.features), stream, p);
  });
}

int softmax(const SoftmaxProblem& p, Stream stream) {
  return for_element(p.element, [&]<Element kElement>() {
    return launch(softmax_kernel<kElement>, {dim3(static_cast<unsigned>(p.rows)), kElementwiseThreads, kReductionBytes},
                  stream, p);
  });
}

int combine(const CombineProblem& p, Stream stream) {
  return for_element(p.element, [&]<Element kElement>() {
    return launch(combine_kernel<kElement>, over_vectors<kElement>(p.count), stream, p);
  });
}

}  // namespace fjord::kernels::cuda
