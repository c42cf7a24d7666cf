// Attention in whole numbers, after arXiv:2410.02367 (SageAttention): queries and keys are bytes with a factor for each
// token, from keys their mean is taken before (every score of a query then shrinks by the same, which the softmax does
// not see); the softmax's weights have 15 bits and values 11 with one factor, so that the sums of a block of keys fit
// into int32.
#pragma once

#include "kernels/cpu/attention_scratch.h"
#include "kernels/cpu/rounded_row.h"
#include "kernels/cpu/tile.h"
#include "kernels/cpu/transpose.h"

namespace fjord::kernels {
namespace {

#ifdef __AVX512VNNI__
constexpr float kTopWeight = 32000, kTopValue = 1023;
static_assert(kTopWeight * kTopValue * kKeys < 2147483648.0);
constexpr Word kZeroPointOfBytes = 128;

// A head of keys and values as round_tokens leaves it.
struct RoundedHead {
  Index words;          // of a key
  std::uint8_t* keys;   // [keys, 4 * words], plus 128
  float* key_factors;   // [keys]
  Word* values;         // [keys / 2 rounded up, head_dim]: a channel of two keys
  float* value_factor;  // one
  float* mean;          // [head_dim] of the keys
  Index bytes;

  RoundedHead(const AttentionProblem& p, const void* memory) : words((p.head_dim + 3) / 4) {
    auto* at = const_cast<char*>(static_cast<const char*>(memory));
    auto* const begin = at;
    keys = take<std::uint8_t>(at, p.keys * 4 * words);
    key_factors = take<float>(at, p.keys);
    values = take<Word>(at, (p.keys + 1) / 2 * p.head_dim + kLanes);
    value_factor = take<float>(at, 1);
    mean = take<float>(at, p.head_dim + kLanes);
    bytes = at - begin;
  }
  static RoundedHead of(const Head& head) {
    const auto bytes = RoundedHead(head.p, nullptr).bytes;
    return {head.p, static_cast<const char*>(head.p.rounded) + (head.batch * head.p.heads + head.index) * bytes};
  }
};

template <typename T>
void write_mean(const Head& head, float* mean) {
  const auto& p = head.p;
  for (Index c = 0; c < p.head_dim; c += kLanes) {
    Vec sum{};
    for (Index key = 0; key < p.keys; ++key) sum += read_vector(head.token<T>(p.k, key), c, p.head_dim);
    store(mean + c, sum / static_cast<float>(p.keys));
  }
}

template <typename T>
void round_keys(const Head& head, const RoundedHead& to) {
  write_mean<T>(head, to.mean);
  for (Index key = 0; key < head.p.keys; ++key) {
    const auto* row = head.token<T>(head.p.k, key);
    round_row([&](Index c) { return read_vector(row, c, head.p.head_dim) - load(to.mean + c); }, head.p.head_dim,
              4 * to.words, kZeroPointOfBytes, to.keys + key * 4 * to.words, to.key_factors + key);
  }
}

template <typename T>
float greatest_value(const Head& head) {
  Vec top{};
  for (Index key = 0; key < head.p.keys; ++key) {
    const auto* row = head.token<T>(head.p.v, key);
    for (Index c = 0; c < head.p.head_dim; c += kLanes) top = max(top, magnitude(read_vector(row, c, head.p.head_dim)));
  }
  return greatest_of(top);
}

template <typename T>
void round_values(const Head& head, const RoundedHead& to) {
  const auto& p = head.p;
  const float greatest = greatest_value<T>(head);
  *to.value_factor = greatest / kTopValue;
  const Vec inverse = broadcast(greatest > 0 ? kTopValue / greatest : 0);
  const auto low_bits = [&](Index key, Index c) {
    const Vec v = key < p.keys ? read_vector(head.token<T>(p.v, key), c, p.head_dim) : Vec{};
    return reinterpret_cast<WordVec>(v * inverse + broadcast(kRoundToBits)) & 0xffffu;
  };
  for (Index key = 0; key < p.keys; key += 2) {  // in this order: a vector may reach into the next row
    for (Index c = 0; c < p.head_dim; c += kLanes) {
      const WordVec both = low_bits(key, c) | (low_bits(key + 1, c) << 16);
      std::memcpy(to.values + key / 2 * p.head_dim + c, &both, sizeof both);
    }
  }
}

template <typename T>
void round_tokens(const Head& head, void* memory) {
  const RoundedHead to(head.p, memory);
  round_keys<T>(head, to);
  round_values<T>(head, to);
}

template <typename T>
struct RoundedAttention {
  using ScoreMath = Int8Math;
  using ValueMath = ShortMath;
  using Storage = T;
  static constexpr int kKeysPerWord = 2;
  static constexpr int kPowers = 3;
  static constexpr float kPowerOfTop = 14.965784f;  // log2(kTopWeight)

  static Index words(Index head_dim) { return (head_dim + 3) / 4; }

  // Also what the sums begin with, which takes the keys' zero point off.
  static void read_queries(const Head& head, Index first, Index count, const Group& group, Word* spare) {
    const auto& p = head.p;
    const auto row_words = words(p.head_dim);
    for (Index c = 0; c < kColumns; c += kLanes) store(group.factors() + c, Vec{});
    for (Index q = 0; q < count; ++q) {
      const auto* row = head.token<T>(p.q, first + q);
      round_row([&](Index c) { return read_vector(row, c, p.head_dim); }, p.head_dim, 4 * row_words, 0,
                reinterpret_cast<std::int8_t*>(spare + q * row_words), group.factors() + q);
    }
    transpose_rows(spare, {row_words, count, row_words}, group.queries, {kColumns, kColumns});
    for (Index c = 0; c < kColumns; c += kLanes) {
      IntVec sum{};
      for (Index word = 0; word < row_words; ++word) {
        sum += sum_of_bytes(load_as<IntVec>(group.queries + word * kColumns + c));
      }
      const IntVec start = sum * -static_cast<std::int32_t>(kZeroPointOfBytes);
      std::memcpy(group.first_scores() + c, &start, sizeof start);
    }
  }
  static Rows read_keys(const Head& head, Index first, Index, Word*) {
    const auto rounded = RoundedHead::of(head);
    return {reinterpret_cast<const Word*>(rounded.keys) + first * rounded.words, rounded.words};
  }
  static Rows read_values(const Head& head, Index first, Index, Word*) {
    return {RoundedHead::of(head).values + first / 2 * head.p.head_dim, head.p.head_dim};
  }

  template <int n>
  static FJORD_INLINE void begin_scores(Tile<n>& tile, const Group& group) {
    tile.load_from(group.first_scores(), 0);
  }
  template <int n>
  static FJORD_INLINE void finish_scores(Tile<n>& tile, const Head& head, Index key) {
    const auto* factors = RoundedHead::of(head).key_factors + key;
#pragma GCC unroll 8
    for (int r = 0; r < n; ++r) {
      for (int i = 0; i < kVectors; ++i) tile.sums[r][i] = to_numbers(tile.sums[r][i]) * broadcast(factors[r]);
    }
  }
  static FJORD_INLINE Vec scale(const Head& head, const Group& group, Index column) {
    return broadcast(head.p.scale * kLog2e) * load(group.factors() + column);
  }
  static FJORD_INLINE Vec round_weight(Vec weight) { return weight + broadcast(kRoundToBits); }
  static FJORD_INLINE Vec number_of(Vec rounded) { return rounded - broadcast(kRoundToBits); }
  static FJORD_INLINE void store_weights(Word* to, Vec even, Vec odd) {
    const auto both = (reinterpret_cast<WordVec>(even) & 0xffffu) | (reinterpret_cast<WordVec>(odd) << 16);
    std::memcpy(to, &both, sizeof both);
  }
  template <int n>
  static FJORD_INLINE void begin_outputs(Tile<n>& tile, const float*, const Vec (&)[kVectors]) {
    tile.zero();
  }
  template <int n>
  static FJORD_INLINE void finish_outputs(Tile<n>& tile, const float* outputs, const Vec (&shrink)[kVectors]) {
#pragma GCC unroll 8
    for (int r = 0; r < n; ++r) {
      for (int i = 0; i < kVectors; ++i) {
        tile.sums[r][i] = to_numbers(tile.sums[r][i]) + load(outputs + r * kColumns + i * kLanes) * shrink[i];
      }
    }
  }
  static float output_scale(const Head& head) { return *RoundedHead::of(head).value_factor; }

 private:
  static FJORD_INLINE Vec to_numbers(Vec bits) { return __builtin_convertvector(reinterpret_cast<IntVec>(bits), Vec); }
};
#endif

}  // namespace
}  // namespace fjord::kernels
