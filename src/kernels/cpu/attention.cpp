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

constexpr Index kGroups = kColumns < 64 ? 64 / kColumns : 1;  // of kColumns queries in a block

// What one thread needs for one group of queries; rows have kColumns columns, one per query.
struct Group {
  Word* queries;  // [words of a head]
  float* output;  // [head_dim]
  float* limits;  // 3 rows: greatest score, sum, correction

  float* greatest() const { return limits; }
  float* sums() const { return limits + kColumns; }
  float* correction() const { return limits + 2 * kColumns; }
};

// And for a block of them.
struct Scratch {
  Group groups[kGroups];
  float* scores;  // [kKeys] rows
  Word* weights;  // [kKeys] rows, the softmax's numerators as the second product wants them
  Word* keys;     // [kKeys, head_dim], where keys cannot be used in place
  Word* values;   // likewise
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
  for (auto& group : s.groups) {
    group.queries = take<Word>(at, p.head_dim * kColumns);
    group.output = take<float>(at, p.head_dim * kColumns);
    group.limits = take<float>(at, 3 * kColumns);
  }
  s.scores = take<float>(at, kKeys * kColumns);
  s.weights = take<Word>(at, kKeys * kColumns);
  s.keys = take<Word>(at, kKeys * p.head_dim);
  s.values = take<Word>(at, kKeys * p.head_dim);
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

// float32 in place.
struct FloatAttention {
  using Math = FloatMath;
  using Storage = float;
  static constexpr int kKeysPerWord = 1;
  static constexpr int kPowers = 5;
  static Index words(Index head_dim) { return head_dim; }
  static void read_queries(const float* q, Index stride, Index count, Index head_dim, Word* to) {
    transpose_rows(reinterpret_cast<const Word*>(q), {stride, count, head_dim}, to, {kColumns, kColumns});
  }
  static Rows read_keys(const float* k, Index stride, Index, Index, Word*) {
    return {reinterpret_cast<const Word*>(k), stride};
  }
  static Rows read_values(const float* v, Index stride, Index, Index, Word*) {
    return {reinterpret_cast<const Word*>(v), stride};
  }
  static FJORD_INLINE void store_weights(Word* to, Vec even, Vec) { std::memcpy(to, &even, sizeof even); }
};

#ifdef __AVX512BF16__
// Pairs of bfloat16: of channels in the first product, of keys in the second.
struct BFloat16Attention {
  using Math = BFloat16Math;
  using Storage = BFloat16;
  static constexpr int kKeysPerWord = 2;
  static constexpr int kPowers = 3;
  static Index words(Index head_dim) { return head_dim / 2; }
  static void read_queries(const BFloat16* q, Index stride, Index count, Index head_dim, Word* to) {
    transpose_rows(reinterpret_cast<const Word*>(q), {stride / 2, count, head_dim / 2}, to, {kColumns, kColumns});
  }
  static Rows read_keys(const BFloat16* k, Index stride, Index, Index, Word*) {
    return {reinterpret_cast<const Word*>(k), stride / 2};
  }
  // to[pair][c] = (v[2 pair][c], v[2 pair + 1][c]); a missing last key counts as 0.
  static Rows read_values(const BFloat16* v, Index stride, Index count, Index head_dim, Word* to) {
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
  static void read_queries(const BFloat16* q, Index stride, Index count, Index head_dim, Word* to) {
    transpose_rows(reinterpret_cast<const Word*>(q), {stride / 2, count, head_dim / 2}, to, {kColumns, kColumns});
    for (auto pair = head_dim / 2 - 1; pair >= 0; --pair) {  // backwards: a row makes place for its two
      for (Index c = 0; c < kColumns; c += kLanes) {
        const auto words = load_as<WordVec>(to + pair * kColumns + c);
        const WordVec even = words << 16, odd = words & 0xffff0000u;
        std::memcpy(to + 2 * pair * kColumns + c, &even, sizeof even);
        std::memcpy(to + (2 * pair + 1) * kColumns + c, &odd, sizeof odd);
      }
    }
  }
  static Rows read_keys(const BFloat16* k, Index stride, Index count, Index head_dim, Word* to) {
    for (Index key = 0; key < count; ++key) {
      widen(k + key * stride, head_dim, reinterpret_cast<float*>(to) + key * head_dim);
    }
    return {to, head_dim};
  }
  static Rows read_values(const BFloat16* v, Index stride, Index count, Index head_dim, Word* to) {
    return read_keys(v, stride, count, head_dim, to);
  }
};
#endif

template <typename Kind>
struct AttentionBlock {
  using Storage = typename Kind::Storage;

  const AttentionProblem& p;
  Scratch s;
  Index batch, head_index;

  void score(const Group& group, const Rows& keys, Index count) const {
    for_row_groups(count, [&]<int n>(Index key) {
      Tile<n> tile;
      tile.zero();
      accumulate<typename Kind::Math>(tile, keys.data + key * keys.stride, keys.stride, 1, group.queries,
                                      Kind::words(p.head_dim));
      tile.store_to(s.scores + key * kColumns, kColumns);
    });
  }

  // Keys after their query get a score that the softmax makes 0.
  void mask(Index first_query, Index first_key, Index count) const {
    for (Index key = 0; key < count; ++key) {
      for (Index q = 0; q < kColumns && first_query + q < first_key + key; ++q) s.scores[key * kColumns + q] = -1e30f;
    }
  }

  // Turns the scores of one vector of queries into weights and notes by how much earlier results shrink.
  FJORD_INLINE void weigh(const Group& group, Index column, Index count, Vec scale) const {
    const Vec before = load(group.greatest() + column);
    Vec top = before;
    for (Index key = 0; key < count; ++key) top = max(top, load(s.scores + key * kColumns + column));
    const Vec shrink = exp2_of_negative<5>((before - top) * scale);
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
    store(group.greatest() + column, top);
    store(group.correction() + column, shrink);
    store(group.sums() + column, load(group.sums() + column) * shrink + total);
  }

  void add_values(const Group& group, const Rows& values, Index count) const {
    const auto steps = (count + Kind::kKeysPerWord - 1) / Kind::kKeysPerWord;
    Vec shrink[kVectors];
    for (int i = 0; i < kVectors; ++i) shrink[i] = load(group.correction() + i * kLanes);
    for_row_groups(p.head_dim, [&]<int n>(Index channel) {
      Tile<n> tile;
      tile.load_from(group.output + channel * kColumns, kColumns);
      for (auto& row : tile.sums) {
        for (int i = 0; i < kVectors; ++i) row[i] *= shrink[i];
      }
      accumulate<typename Kind::Math>(tile, values.data + channel, 1, values.stride, s.weights, steps);
      tile.store_to(group.output + channel * kColumns, kColumns);
    });
  }

  const Storage* token(const AttentionProblem::Tokens& tokens, Index index) const {
    return static_cast<const Storage*>(tokens.data) + batch * tokens.batch_stride + index * tokens.token_stride +
           head_index * p.head_dim;
  }

  void begin(const Group& group, Index first_query, Index queries) const {
    Kind::read_queries(token(p.q, first_query), p.q.token_stride, queries, p.head_dim, group.queries);
    for (Index c = 0; c < kColumns; c += kLanes) {
      store(group.greatest() + c, broadcast(-1e30f));
      store(group.sums() + c, Vec{});
    }
    std::memset(group.output, 0, static_cast<size_t>(p.head_dim * kColumns) * sizeof(float));
  }

  void end(const Group& group, Index first_query, Index queries) const {
    for (Index c = 0; c < kColumns; c += kLanes) {
      store(group.correction() + c, broadcast(1.0f) / load(group.sums() + c));
    }
    auto* const out = static_cast<Storage*>(p.out) + batch * p.out_batch_stride + first_query * p.out_token_stride +
                      head_index * p.head_dim;
    transpose_out(group.output, group.correction(), queries, p.head_dim, out, p.out_token_stride);
  }

  // Calls f(group, first query, how many) for the groups of a block.
  template <typename F>
  FJORD_INLINE void for_groups(Index first_query, F&& f) const {
    for (Index g = 0; g < kGroups && first_query + g * kColumns < p.queries; ++g) {
      const auto first = first_query + g * kColumns;
      f(s.groups[g], first, least(kColumns, p.queries - first));
    }
  }

  void run(Index first_query) const {
    for_groups(first_query, [&](const Group& group, Index first, Index count) { begin(group, first, count); });
    const auto last_query = least(p.queries, first_query + kGroups * kColumns);
    const auto keys = p.causal ? least(last_query, p.keys) : p.keys;
    const Vec scale = broadcast(p.scale * kLog2e);
    for (Index key = 0; key < keys; key += kKeys) {
      const auto count = least(kKeys, keys - key);
      const auto key_rows = Kind::read_keys(token(p.k, key), p.k.token_stride, count, p.head_dim, s.keys);
      const auto values = Kind::read_values(token(p.v, key), p.v.token_stride, count, p.head_dim, s.values);
      for_groups(first_query, [&](const Group& group, Index first, Index) {
        score(group, key_rows, count);
        if (p.causal) mask(first, key, count);
        for (Index c = 0; c < kColumns; c += kLanes) weigh(group, c, count, scale);
        add_values(group, values, count);
      });
    }
    for_groups(first_query, [&](const Group& group, Index first, Index count) { end(group, first, count); });
  }
};

Index query_blocks(const AttentionProblem& p) { return (p.queries + kGroups * kColumns - 1) / (kGroups * kColumns); }

template <typename Kind>
void attend(const AttentionProblem& p, Index item, void* memory) {
  const auto blocks = query_blocks(p);
  const AttentionBlock<Kind> block{p, carve(p, memory), item / blocks / p.heads, item / blocks % p.heads};
  block.run(item % blocks * kGroups * kColumns);
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
