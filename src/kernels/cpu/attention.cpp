// Attention in blocks with a running softmax (arXiv:1805.02867, arXiv:2205.14135), transposed: a vector holds one key
// (or one channel of the output) of kLanes queries. So keys and values are read in place as scalars, any head size is
// exact, and the softmax has no sums across a vector.
#include "kernels/cpu/attention_exact.h"
#include "kernels/cpu/attention_rounded.h"
#include "kernels/cpu/table.h"

namespace fjord::kernels {
namespace {

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

template <typename Kind>
struct AttentionBlock {
  using Storage = typename Kind::Storage;

  const AttentionProblem& p;
  Scratch s;
  Head head;

  void score(const Group& group, const Rows& keys, Index first_key, Index count) const {
    for_row_groups(count, [&]<int n>(Index key) {
      Tile<n> tile;
      Kind::begin_scores(tile, group);
      accumulate<typename Kind::ScoreMath>(tile, keys.data + key * keys.stride, keys.stride, 1, group.queries,
                                           Kind::words(p.head_dim));
      Kind::finish_scores(tile, head, first_key + key);
      tile.store_to(s.scores + key * kColumns, kColumns);
    });
  }

  // Keys after their query get a score that the softmax makes 0.
  void mask(Index first_query, Index first_key, Index count) const {
    for (Index key = 0; key < count; ++key) {
      for (Index q = 0; q < kColumns && first_query + q < first_key + key; ++q) s.scores[key * kColumns + q] = -1e30f;
    }
  }

  // Two chains, or each step would wait for the one before.
  FJORD_INLINE Vec greatest_score(Index column, Index count) const {
    const auto read = [&](Index key) { return load(s.scores + key * kColumns + column); };
    Vec even = read(0), odd = even;
    Index key = 1;
    for (; key + 1 < count; key += 2) {
      even = max(even, read(key));
      odd = max(odd, read(key + 1));
    }
    if (key < count) even = max(even, read(key));
    return max(even, odd);
  }

  // Turns the scores of one vector of queries into weights and notes by how much earlier results shrink.
  FJORD_INLINE void weigh(const Group& group, Index column, Index count) const {
    const Vec scale = Kind::scale(head, group, column);
    const Vec before = load(group.greatest() + column);
    const Vec top = max(before, greatest_score(column, count));
    const Vec shrink = exp2_of_negative<5>((before - top) * scale);
    const Vec offset = top * scale - broadcast(Kind::kPowerOfTop);
    Vec total{};
    for (Index key = 0; key < count; key += Kind::kKeysPerWord) {
      const auto weight = [&](Index k) {
        return Kind::round_weight(
            exp2_of_negative<Kind::kPowers>(load(s.scores + k * kColumns + column) * scale - offset));
      };
      const Vec even = weight(key);
      Vec odd{};
      total += Kind::number_of(even);
      if (Kind::kKeysPerWord == 2 && key + 1 < count) {
        odd = weight(key + 1);
        total += Kind::number_of(odd);
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
      float* const outputs = group.output + channel * kColumns;
      Kind::begin_outputs(tile, outputs, shrink);
      accumulate<typename Kind::ValueMath>(tile, values.data + channel, 1, values.stride, s.weights, steps);
      Kind::finish_outputs(tile, outputs, shrink);
      tile.store_to(outputs, kColumns);
    });
  }

  void begin(const Group& group, Index first_query, Index queries) const {
    Kind::read_queries(head, first_query, queries, group, s.keys);
    for (Index c = 0; c < kColumns; c += kLanes) {
      store(group.greatest() + c, broadcast(-1e30f));
      store(group.sums() + c, Vec{});
    }
    std::memset(group.output, 0, static_cast<size_t>(p.head_dim * kColumns) * sizeof(float));
  }

  void end(const Group& group, Index first_query, Index queries) const {
    for (Index c = 0; c < kColumns; c += kLanes) {
      store(group.correction() + c, broadcast(Kind::output_scale(head)) / load(group.sums() + c));
    }
    auto* const out = static_cast<Storage*>(p.out) + head.batch * p.out_batch_stride +
                      first_query * p.out_token_stride + head.index * p.head_dim;
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
    for (Index key = 0; key < keys; key += kKeys) {
      const auto count = least(kKeys, keys - key);
      const auto key_rows = Kind::read_keys(head, key, count, s.keys);
      const auto values = Kind::read_values(head, key, count, s.values);
      for_groups(first_query, [&](const Group& group, Index first, Index) {
        score(group, key_rows, key, count);
        if (p.causal) mask(first, key, count);
        for (Index c = 0; c < kColumns; c += kLanes) weigh(group, c, count);
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
  const AttentionBlock<Kind> block{p, carve(p, memory), {p, item / blocks / p.heads, item / blocks % p.heads}};
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
  const bool is_float = p.element == Element::kFloat32;
#ifdef __AVX512VNNI__
  if (p.rounded != nullptr) {
    return is_float ? attend<RoundedAttention<float>>(p, item, scratch)
                    : attend<RoundedAttention<BFloat16>>(p, item, scratch);
  }
#endif
  is_float ? attend<FloatAttention>(p, item, scratch) : attend<BFloat16Attention>(p, item, scratch);
}

#ifdef __AVX512VNNI__
Index rounded_head_bytes(const AttentionProblem& p) { return RoundedHead(p, nullptr).bytes; }

void round_head(const AttentionProblem& p, Index item, void* rounded) {
  const Head head{p, item / p.heads, item % p.heads};
  p.element == Element::kFloat32 ? round_tokens<float>(head, rounded) : round_tokens<BFloat16>(head, rounded);
}
#else
Index rounded_head_bytes(const AttentionProblem&) { return 0; }

void round_head(const AttentionProblem&, Index, void*) {}
#endif

}  // namespace FJORD_ISA
}  // namespace fjord::kernels
