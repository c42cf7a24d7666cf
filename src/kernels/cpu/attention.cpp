// Attention in blocks with a running softmax (arXiv:1805.02867, arXiv:2205.14135), transposed: a vector holds one key
// (or one channel of the output) of kLanes queries. So keys and values are read in place as scalars, any head size is
// exact, and the softmax has no sums across a vector.
#include "kernels/cpu/table.h"
#include "kernels/cpu/tile.h"
#include "kernels/cpu/transpose.h"

namespace fjord::kernels {
namespace {

constexpr Index kKeys = 60;  // keys of a block; even, and a multiple of kRows
constexpr float kLog2e = 1.44269504f;

// What one thread needs for one block of queries; rows have kColumns columns, one per query.
struct Scratch {
  Word* queries;  // [words of a head]
  float* scores;  // [kKeys]
  Word* weights;  // [kKeys], the softmax's numerators as the second product wants them
  float* output;  // [head_dim]
  Word* values;   // [kKeys, head_dim], where values cannot be used in place
  float* limits;  // 3 rows: greatest score, sum, correction
};

template <typename T>
T* take(char*& at, Index count) {
  auto* out = reinterpret_cast<T*>(at);
  at += (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64;
  return out;
}

Scratch carve(const AttentionProblem& p, void* memory, size_t* size = nullptr) {
  auto* at = static_cast<char*>(memory);
  auto* const begin = at;
  Scratch s{};
  s.queries = take<Word>(at, p.head_dim * kColumns);
  s.scores = take<float>(at, kKeys * kColumns);
  s.weights = take<Word>(at, kKeys * kColumns);
  s.output = take<float>(at, p.head_dim * kColumns);
  s.values = take<Word>(at, kKeys * p.head_dim);
  s.limits = take<float>(at, 3 * kColumns);
  if (size != nullptr) *size = static_cast<size_t>(at - begin);
  return s;
}

// Rows of words, `stride` apart.
struct Rows {
  const Word* data;
  Index stride;
};

// to[q][c] = from[c * kColumns + q] * factor[q]
template <typename T>
void transpose_out(const float* from, const float* factor, Index count, Index head_dim, T* to, Index stride) {
  if (head_dim < kLanes) {
    for (Index q = 0; q < count; ++q) {
      for (Index c = 0; c < head_dim; ++c) store_one(to + q * stride + c, from[c * kColumns + q] * factor[q]);
    }
    return;
  }
  for (Index q = 0; q < count; q += kLanes) {
    const Vec scale = load(factor + q);
    for (Index c = 0; c < head_dim; c += kLanes) {
      const auto first = c + kLanes <= head_dim ? c : head_dim - kLanes;
      Vec rows[kLanes];
      for (int i = 0; i < kLanes; ++i) rows[i] = load(from + (first + i) * kColumns + q) * scale;
      transpose(rows);
      for (int i = 0; i < kLanes && q + i < count; ++i) store(to + (q + i) * stride + first, rows[i]);
    }
  }
}

const void* head(const AttentionProblem::Tokens& tokens, Index element_size, Index batch, Index head_offset) {
  return static_cast<const char*>(tokens.data) + element_size * (batch * tokens.batch_stride + head_offset);
}

// float32 in place.
struct FloatAttention {
  using Math = FloatMath;
  using Storage = float;
  static constexpr int kKeysPerWord = 1;
  static constexpr int kPowers = 5;
  static Index words(Index head_dim) { return head_dim; }
  static void read_queries(const float* q, Index stride, Index count, Index head_dim, Scratch& s) {
    transpose_rows(reinterpret_cast<const Word*>(q), {stride, count, head_dim}, s.queries, {kColumns, kColumns});
  }
  static Rows read_keys(const float* k, Index stride, Index, Index, Scratch&) {
    return {reinterpret_cast<const Word*>(k), stride};
  }
  static Rows read_values(const float* v, Index stride, Index, Index, Scratch&) {
    return {reinterpret_cast<const Word*>(v), stride};
  }
  static FJORD_INLINE void store_weights(Word* to, Vec even, Vec) { std::memcpy(to, &even, sizeof even); }
};

// Pairs of bfloat16: of channels in the first product, of keys in the second.
struct BFloat16Attention {
  using Math = BFloat16Math;
  using Storage = BFloat16;
  static constexpr int kKeysPerWord = 2;
  static constexpr int kPowers = 3;
  static Index words(Index head_dim) { return head_dim / 2; }
  static void read_queries(const BFloat16* q, Index stride, Index count, Index head_dim, Scratch& s) {
    transpose_rows(reinterpret_cast<const Word*>(q), {stride / 2, count, head_dim / 2}, s.queries,
                   {kColumns, kColumns});
  }
  static Rows read_keys(const BFloat16* k, Index stride, Index, Index, Scratch&) {
    return {reinterpret_cast<const Word*>(k), stride / 2};
  }
  // to[pair][c] = (v[2 pair][c], v[2 pair + 1][c]); a missing last key counts as 0.
  static Rows read_values(const BFloat16* v, Index stride, Index count, Index head_dim, Scratch& s) {
    auto* to = s.values;
    for (Index key = 0; key < count; key += 2, to += head_dim) {
      const auto* even = v + key * stride;
      const auto* odd = even + stride;
      if (key + 1 < count) {
        for (Index c = 0; c < head_dim; ++c) to[c] = even[c] | (static_cast<Word>(odd[c]) << 16);
      } else {
        for (Index c = 0; c < head_dim; ++c) to[c] = even[c];
      }
    }
    return {s.values, head_dim};
  }
  // Positive numbers to the nearest bfloat16, ties upwards.
  static FJORD_INLINE void store_weights(Word* to, Vec even, Vec odd) {
    const auto rounded = [](Vec v) { return reinterpret_cast<WordVec>(v) + 0x8000u; };
    const WordVec both = (rounded(even) >> 16) | (rounded(odd) & 0xffff0000u);
    std::memcpy(to, &both, sizeof both);
  }
};

template <typename Kind>
struct AttentionBlock {
  using Storage = typename Kind::Storage;

  const AttentionProblem& problem;
  Scratch s;
  Index first_query;

  float* greatest() const { return s.limits; }
  float* sums() const { return s.limits + kColumns; }
  float* correction() const { return s.limits + 2 * kColumns; }

  void score(const Rows& keys, Index count) const {
    for_row_groups(count, [&]<int n>(Index key) {
      Tile<n> tile;
      tile.zero();
      accumulate<typename Kind::Math>(tile, keys.data + key * keys.stride, keys.stride, 1, s.queries,
                                      Kind::words(problem.head_dim));
      tile.store_to(s.scores + key * kColumns, kColumns);
    });
  }

  // Keys after their query get a score that the softmax makes 0.
  void mask(Index first_key, Index count) const {
    for (Index key = 0; key < count; ++key) {
      for (Index q = 0; q < kColumns && first_query + q < first_key + key; ++q) s.scores[key * kColumns + q] = -1e30f;
    }
  }

  // Turns the scores of one vector of queries into weights and notes by how much earlier results shrink.
  FJORD_INLINE void weigh(Index column, Index count, Vec scale) const {
    Vec top = load(greatest() + column);
    for (Index key = 0; key < count; ++key) top = max(top, load(s.scores + key * kColumns + column));
    const Vec shrink = exp2_of_negative<5>((load(greatest() + column) - top) * scale);
    const Vec offset = top * scale;
    Vec total{};
    for (Index key = 0; key < count; key += Kind::kKeysPerWord) {
      const auto weight = [&](Index k) {
        return exp2_of_negative<Kind::kPowers>(load(s.scores + k * kColumns + column) * scale - offset);
      };
      const Vec even = weight(key);
      Vec odd{};
      total += even;
      if (Kind::kKeysPerWord == 2 && key + 1 < count) {
        odd = weight(key + 1);
        total += odd;
      }
      Kind::store_weights(s.weights + key / Kind::kKeysPerWord * kColumns + column, even, odd);
    }
    store(greatest() + column, top);
    store(correction() + column, shrink);
    store(sums() + column, load(sums() + column) * shrink + total);
  }

  void add_values(const Rows& values, Index count) const {
    const auto steps = (count + Kind::kKeysPerWord - 1) / Kind::kKeysPerWord;
    Vec shrink[kVectors];
    for (int i = 0; i < kVectors; ++i) shrink[i] = load(correction() + i * kLanes);
    for_row_groups(problem.head_dim, [&]<int n>(Index channel) {
      Tile<n> tile;
      tile.load_from(s.output + channel * kColumns, kColumns);
      for (auto& row : tile.sums) {
        for (int i = 0; i < kVectors; ++i) row[i] *= shrink[i];
      }
      accumulate<typename Kind::Math>(tile, values.data + channel, 1, values.stride, s.weights, steps);
      tile.store_to(s.output + channel * kColumns, kColumns);
    });
  }

  void run(Index batch, Index head_index) {
    const auto& p = problem;
    const auto offset = head_index * p.head_dim;
    const auto at = [&](const AttentionProblem::Tokens& tokens) {
      return static_cast<const Storage*>(head(tokens, sizeof(Storage), batch, offset));
    };
    const auto queries = p.queries - first_query < kColumns ? p.queries - first_query : kColumns;
    Kind::read_queries(at(p.q) + first_query * p.q.token_stride, p.q.token_stride, queries, p.head_dim, s);
    for (Index c = 0; c < kColumns; c += kLanes) {
      store(greatest() + c, broadcast(-1e30f));
      store(sums() + c, Vec{});
    }
    std::memset(s.output, 0, static_cast<size_t>(p.head_dim * kColumns) * sizeof(float));
    const auto keys = p.causal && first_query + queries < p.keys ? first_query + queries : p.keys;
    const Vec scale = broadcast(p.scale * kLog2e);
    for (Index key = 0; key < keys; key += kKeys) {
      const auto count = keys - key < kKeys ? keys - key : kKeys;
      score(Kind::read_keys(at(p.k) + key * p.k.token_stride, p.k.token_stride, count, p.head_dim, s), count);
      if (p.causal) mask(key, count);
      for (Index c = 0; c < kColumns; c += kLanes) weigh(c, count, scale);
      add_values(Kind::read_values(at(p.v) + key * p.v.token_stride, p.v.token_stride, count, p.head_dim, s), count);
    }
    for (Index c = 0; c < kColumns; c += kLanes) store(correction() + c, broadcast(1.0f) / load(sums() + c));
    auto* out = static_cast<Storage*>(p.out) + batch * p.out_batch_stride + first_query * p.out_token_stride + offset;
    transpose_out(s.output, correction(), queries, p.head_dim, out, p.out_token_stride);
  }
};

Index query_blocks(const AttentionProblem& p) { return (p.queries + kColumns - 1) / kColumns; }

template <typename Kind>
void attend(const AttentionProblem& p, Index item, void* memory) {
  const auto blocks = query_blocks(p);
  AttentionBlock<Kind> block{p, carve(p, memory), item % blocks * kColumns};
  block.run(item / blocks / p.heads, item / blocks % p.heads);
}

}  // namespace

namespace FJORD_ISA {

Index attention_items(const AttentionProblem& p) { return p.batch * p.heads * query_blocks(p); }

size_t attention_scratch(const AttentionProblem& p) {
  size_t size = 0;
  carve(p, nullptr, &size);
  return size;
}

void attention(const AttentionProblem& p, Index item, void* scratch) {
  p.element == Element::kFloat32 ? attend<FloatAttention>(p, item, scratch)
                                 : attend<BFloat16Attention>(p, item, scratch);
}

}  // namespace FJORD_ISA
}  // namespace fjord::kernels
