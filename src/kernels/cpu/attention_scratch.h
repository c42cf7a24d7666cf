// The working memory of attention: see attention.cpp.
#pragma once

#include "kernels/cpu/simd.h"

namespace fjord::kernels {
namespace {

constexpr Index kKeys = 60;  // keys of a block; even, and a multiple of kRows
constexpr Index kLimits = 5;
constexpr float kLog2e = 1.44269504f;

constexpr Index kGroups = kColumns < 64 ? 64 / kColumns : 1;  // of kColumns queries in a block

// What one thread needs for one group of queries; rows have kColumns columns, one per query.
struct Group {
  Word* queries;  // [words of a head]
  float* output;  // [head_dim]
  float* limits;  // kLimits rows: greatest score, sum, correction, and of rounded queries factor and first score

  float* greatest() const { return limits; }
  float* sums() const { return limits + kColumns; }
  float* correction() const { return limits + 2 * kColumns; }
  float* factors() const { return limits + 3 * kColumns; }
  float* first_scores() const { return limits + 4 * kColumns; }  // int32
};

// And for a block of them.
struct Scratch {
  Group groups[kGroups];
  float* scores;  // [kKeys] rows
  Word* weights;  // [kKeys] rows, the softmax's numerators as the second product wants them
  Word* keys;     // [kKeys, head_dim] and a row, where keys cannot be used in place; or for rounding queries
  Word* values;   // [kKeys, head_dim], likewise
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
    group.limits = take<float>(at, kLimits * kColumns);
  }
  s.scores = take<float>(at, kKeys * kColumns);
  s.weights = take<Word>(at, kKeys * kColumns);
  s.keys = take<Word>(at, kKeys * p.head_dim + kColumns);
  s.values = take<Word>(at, kKeys * p.head_dim);
  if (size != nullptr) *size = static_cast<size_t>(at - begin);
  return s;
}

// Rows of words, `stride` apart.
struct Rows {
  const Word* data;
  Index stride;
};

// One head of one picture.
struct Head {
  const AttentionProblem& p;
  Index batch, index;

  template <typename T>
  const T* token(const AttentionProblem::Tokens& tokens, Index i) const {
    return static_cast<const T*>(tokens.data) + batch * tokens.batch_stride + i * tokens.token_stride +
           index * p.head_dim;
  }
};

}  // namespace
}  // namespace fjord::kernels
