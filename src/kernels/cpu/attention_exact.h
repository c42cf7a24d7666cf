// Kinds of attention: how queries, keys, values and the softmax's weights are read, multiplied and summed. Here as the
// numbers they are.
#pragma once

#include "kernels/cpu/attention_scratch.h"
#include "kernels/cpu/tile.h"
#include "kernels/cpu/transpose.h"

namespace fjord::kernels {
namespace {

// What kinds that sum in float32 share.
struct ExactAttention {
  static constexpr float kPowerOfTop = 0;  // a weight of 1 is 2 to it
  template <int n>
  static FJORD_INLINE void begin_scores(Tile<n>& tile, const Group&) {
    tile.zero();
  }
  template <int n>
  static FJORD_INLINE void finish_scores(Tile<n>&, const Head&, Index /*key*/) {}
  // What turns a score into the power of 2 that is its weight.
  static FJORD_INLINE Vec scale(const Head& head, const Group&, Index /*column*/) {
    return broadcast(head.p.scale * kLog2e);
  }
  // A weight as store_weights takes it, and the number that it then stands for.
  static FJORD_INLINE Vec round_weight(Vec weight) { return weight; }
  static FJORD_INLINE Vec number_of(Vec weight) { return weight; }
  // Between outputs [n, kColumns] that shrink and the tile that is added to them.
  template <int n>
  static FJORD_INLINE void begin_outputs(Tile<n>& tile, const float* outputs, const Vec (&shrink)[kVectors]) {
    tile.load_from(outputs, kColumns);
    for (auto& row : tile.sums) {
      for (int i = 0; i < kVectors; ++i) row[i] *= shrink[i];
    }
  }
  template <int n>
  static FJORD_INLINE void finish_outputs(Tile<n>&, const float*, const Vec (&)[kVectors]) {}
  static float output_scale(const Head&) { return 1; }
};

// float32 in place.
struct FloatAttention : ExactAttention {
  using ScoreMath = FloatMath;
  using ValueMath = FloatMath;
  using Storage = float;
  static constexpr int kKeysPerWord = 1;
  static constexpr int kPowers = 5;
  static Index words(Index head_dim) { return head_dim; }
  static void read_queries(const Head& head, Index first, Index count, const Group& group, Word*) {
    const auto& q = head.p.q;
    transpose_rows(head.token<Word>(q, first), {q.token_stride, count, head.p.head_dim}, group.queries,
                   {kColumns, kColumns});
  }
  static Rows read_keys(const Head& head, Index first, Index, Word*) {
    return {head.token<Word>(head.p.k, first), head.p.k.token_stride};
  }
  static Rows read_values(const Head& head, Index first, Index, Word*) {
    return {head.token<Word>(head.p.v, first), head.p.v.token_stride};
  }
  static FJORD_INLINE void store_weights(Word* to, Vec even, Vec) { std::memcpy(to, &even, sizeof even); }
};

// to[pair][q]: two channels of a query
[[maybe_unused]] void read_query_pairs(const Head& head, Index first, Index count, Word* to) {
  const auto& q = head.p.q;
  transpose_rows(reinterpret_cast<const Word*>(head.token<BFloat16>(q, first)),
                 {q.token_stride / 2, count, head.p.head_dim / 2}, to, {kColumns, kColumns});
}

#ifdef __AVX512BF16__
// Pairs of bfloat16: of channels in the first product, of keys in the second.
struct BFloat16Attention : ExactAttention {
  using ScoreMath = BFloat16Math;
  using ValueMath = BFloat16Math;
  using Storage = BFloat16;
  static constexpr int kKeysPerWord = 2;
  static constexpr int kPowers = 3;
  static Index words(Index head_dim) { return head_dim / 2; }
  static void read_queries(const Head& head, Index first, Index count, const Group& group, Word*) {
    read_query_pairs(head, first, count, group.queries);
  }
  static Rows read_keys(const Head& head, Index first, Index, Word*) {
    return {reinterpret_cast<const Word*>(head.token<BFloat16>(head.p.k, first)), head.p.k.token_stride / 2};
  }
  // to[pair][c] = (v[2 pair][c], v[2 pair + 1][c]); a missing last key counts as 0.
  static Rows read_values(const Head& head, Index first, Index count, Word* to) {
    const auto* v = head.token<BFloat16>(head.p.v, first);
    const auto stride = head.p.v.token_stride, head_dim = head.p.head_dim;
    auto* const values = to;
    for (Index key = 0; key < count; key += 2, to += head_dim) {
      const auto* even = v + key * stride;
      const auto* odd = even + stride;
      if (key + 1 < count) {
        for (Index c = 0; c < head_dim; ++c) to[c] = even[c] | (static_cast<Word>(odd[c]) << 16);
      } else {
        for (Index c = 0; c < head_dim; ++c) to[c] = even[c];
      }
    }
    return {values, head_dim};
  }
  // Positive numbers to the nearest bfloat16, ties upwards.
  static FJORD_INLINE void store_weights(Word* to, Vec even, Vec odd) {
    const auto rounded = [](Vec v) { return reinterpret_cast<WordVec>(v) + 0x8000u; };
    const WordVec both = (rounded(even) >> 16) | (rounded(odd) & 0xffff0000u);
    std::memcpy(to, &both, sizeof both);
  }
};
#else
// bfloat16 that becomes float32 block by block.
struct BFloat16Attention : FloatAttention {
  using Storage = BFloat16;
  static constexpr int kPowers = 3;
  static void read_queries(const Head& head, Index first, Index count, const Group& group, Word*) {
    auto* const to = group.queries;
    read_query_pairs(head, first, count, to);
    for (auto pair = head.p.head_dim / 2 - 1; pair >= 0; --pair) {  // backwards: a row makes place for its two
      for (Index c = 0; c < kColumns; c += kLanes) {
        const auto words = load_as<WordVec>(to + pair * kColumns + c);
        const WordVec even = words << 16, odd = words & 0xffff0000u;
        std::memcpy(to + 2 * pair * kColumns + c, &even, sizeof even);
        std::memcpy(to + (2 * pair + 1) * kColumns + c, &odd, sizeof odd);
      }
    }
  }
  static Rows widened(const BFloat16* from, Index stride, Index count, Index head_dim, Word* to) {
    for (Index key = 0; key < count; ++key) {
      widen(from + key * stride, head_dim, reinterpret_cast<float*>(to) + key * head_dim);
    }
    return {to, head_dim};
  }
  static Rows read_keys(const Head& head, Index first, Index count, Word* to) {
    return widened(head.token<BFloat16>(head.p.k, first), head.p.k.token_stride, count, head.p.head_dim, to);
  }
  static Rows read_values(const Head& head, Index first, Index count, Word* to) {
    return widened(head.token<BFloat16>(head.p.v, first), head.p.v.token_stride, count, head.p.head_dim, to);
  }
};
#endif

}  // namespace
}  // namespace fjord::kernels
