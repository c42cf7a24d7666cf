// Kernels over rows and elements: layer norm with the sum before it, the gated GELU, softmax of stored scores, and the
// linear combination of guidance and solver.
#pragma once

#include "kernels/cuda/reductions.h"

namespace fjord::kernels::cuda {

constexpr int kElementwiseThreads = 256;

// A warp does one row, held in registers: mean first, then the deviations from it.
template <Element kElement, typename Hw>
FJORD_DEVICE void layer_norm_row(Hw& hw, const LayerNormProblem& p) {
  using Tile = LayerNormTile<kElement>;
  constexpr int kVector = ElementTraits<kElement>::kVector;
  const Index row = static_cast<Index>(hw.block_x()) * Tile::kWarps + hw.thread() / kWarp;
  if (row >= p.rows) return;
  const int vectors = p.features / kVector;
  float x[Tile::kVectors][kVector];
  float sum = 0;
  FJORD_UNROLL
  for (int v = 0; v < Tile::kVectors; ++v) {
    const int column = v * kWarp + hw.lane();
    if (column >= vectors) continue;
    load_vector<kElement>(hw, p.x, row * vectors + column, x[v]);
    if (p.residual != nullptr) {
      float residual[kVector];
      load_vector<kElement>(hw, p.residual, row * vectors + column, residual);
      FJORD_UNROLL
      for (int i = 0; i < kVector; ++i) x[v][i] += residual[i];
      // Rounded as those who read the sum see it.
      const Vector rounded = pack<kElement>(hw, x[v]);
      unpack<kElement>(hw, rounded, x[v]);
      if (p.sum != nullptr) hw.store_global(vector_at(p.sum, row * vectors + column), rounded);
    }
    FJORD_UNROLL
    for (int i = 0; i < kVector; ++i) sum += x[v][i];
  }
  const float mean = hw.divide(reduce_warp<Sum>(hw, sum), static_cast<float>(p.features));
  float square = 0;
  FJORD_UNROLL
  for (int v = 0; v < Tile::kVectors; ++v) {
    if (v * kWarp + hw.lane() >= vectors) continue;
    FJORD_UNROLL
    for (int i = 0; i < kVector; ++i) square = fmaf(x[v][i] - mean, x[v][i] - mean, square);
  }
  const float variance = hw.divide(reduce_warp<Sum>(hw, square), static_cast<float>(p.features));
  const float inverse = hw.reciprocal_root(variance + p.eps);
  FJORD_UNROLL
  for (int v = 0; v < Tile::kVectors; ++v) {
    const int column = v * kWarp + hw.lane();
    if (column >= vectors) continue;
    float weight[kVector], bias[kVector];
    load_vector<kElement>(hw, p.weight, column, weight);
    load_vector<kElement>(hw, p.bias, column, bias);
    FJORD_UNROLL
    for (int i = 0; i < kVector; ++i) x[v][i] = fmaf((x[v][i] - mean) * inverse, weight[i], bias[i]);
    hw.store_global(vector_at(p.out, row * vectors + column), pack<kElement>(hw, x[v]));
  }
}

FJORD_BOTH float gelu(float x) { return 0.5F * x * (1.0F + erff(x * 0.70710678118654752F)); }

template <Element kElement, typename Hw>
FJORD_DEVICE void gated_gelu_elements(Hw& hw, const GatedGeluProblem& p) {
  constexpr int kVector = ElementTraits<kElement>::kVector;
  const int vectors = p.features / kVector;
  const Index step = static_cast<Index>(hw.grid_x()) * kElementwiseThreads;
  for (Index i = static_cast<Index>(hw.block_x()) * kElementwiseThreads + hw.thread(); i < p.rows * vectors;
       i += step) {
    const Index row = i / vectors, value = row * 2 * vectors + i % vectors;
    float x[kVector], gate[kVector];
    load_vector<kElement>(hw, p.x, value, x);
    load_vector<kElement>(hw, p.x, value + vectors, gate);
    FJORD_UNROLL
    for (int j = 0; j < kVector; ++j) x[j] *= gelu(gate[j]);
    hw.store_global(vector_at(p.out, i), pack<kElement>(hw, x));
  }
}

// A block does one row: first maximum and sum in one pass, then the results.
template <Element kElement, typename Hw>
FJORD_DEVICE void softmax_row(Hw& hw, const SoftmaxProblem& p) {
  const Index row = hw.block_x();
  const float* const scores = p.scores + row * p.keys;
  const float factor = p.scale * 1.4426950408889634F;
  float maximum = -INFINITY, sum = 0;
  for (int i = hw.thread(); i < p.keys; i += kElementwiseThreads) {
    const float x = hw.template load_global<float>(scores + i) * factor;
    const float now = fmaxf(maximum, x);
    sum = sum * hw.exp2(maximum - now) + hw.exp2(x - now);
    maximum = now;
  }
  const float all = reduce_block<Maximum, kElementwiseThreads>(hw, maximum);
  // A thread without keys has no maximum of its own, and nothing to add.
  const float total = reduce_block<Sum, kElementwiseThreads>(hw, sum > 0 ? sum * hw.exp2(maximum - all) : 0.0F);
  const float inverse = hw.divide(1.0F, total);
  for (int i = hw.thread(); i < p.keys; i += kElementwiseThreads) {
    const float x = hw.template load_global<float>(scores + i) * factor;
    store_element<kElement>(hw, p.out, row * p.keys + i, hw.exp2(x - all) * inverse);
  }
}

template <Element kElement, typename Hw>
FJORD_DEVICE void combine_elements(Hw& hw, const CombineProblem& p) {
  constexpr int kVector = ElementTraits<kElement>::kVector;
  const int step = p.step != nullptr ? hw.template load_global<int>(p.step) : 0;
  float factors[CombineProblem::kMaxTerms];
  FJORD_UNROLL
  for (int t = 0; t < CombineProblem::kMaxTerms; ++t)
    if (t < p.term_count)
      factors[t] = hw.template load_global<float>(p.coefficients + step * CombineProblem::kMaxTerms + t);
  const Index vectors = p.count / kVector, tail = p.count % kVector;
  const Index first = static_cast<Index>(hw.block_x()) * kElementwiseThreads + hw.thread();
  bool finite = true;
  for (Index i = first; i < vectors; i += static_cast<Index>(hw.grid_x()) * kElementwiseThreads) {
    float sum[kVector] = {};
    FJORD_UNROLL
    for (int t = 0; t < CombineProblem::kMaxTerms; ++t) {
      if (t >= p.term_count) continue;
      float x[kVector];
      load_vector<kElement>(hw, p.terms[t], i, x);
      FJORD_UNROLL
      for (int j = 0; j < kVector; ++j) sum[j] = fmaf(factors[t], x[j], sum[j]);
    }
    const Vector rounded = pack<kElement>(hw, sum);
    unpack<kElement>(hw, rounded, sum);
    FJORD_UNROLL
    for (int j = 0; j < kVector; ++j) finite = finite && fabsf(sum[j]) < INFINITY;
    hw.store_global(vector_at(p.out, i), rounded);
  }
  if (first < tail) {  // what does not fill a vector: one element a thread
    const Index i = vectors * kVector + first;
    float sum = 0;
    FJORD_UNROLL
    for (int t = 0; t < CombineProblem::kMaxTerms; ++t)
      if (t < p.term_count) sum = fmaf(factors[t], load_element<kElement>(hw, p.terms[t], i), sum);
    store_element<kElement>(hw, p.out, i, sum);
    finite = finite && fabsf(load_element<kElement>(hw, p.out, i)) < INFINITY;
  }
  if (!finite && p.failed != nullptr) hw.store_global(p.failed, 1);  // all who write write the same
}

}  // namespace fjord::kernels::cuda
