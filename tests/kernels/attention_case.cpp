#include "kernels/attention_case.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace fjord::testing {
namespace {

constexpr int kGap = 8;  // elements between tokens that belong to nobody
constexpr std::uint16_t kUnwritten = 0x7fff;

std::vector<std::uint16_t> normal(Element element, size_t count, float deviation, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution(0, deviation);
  std::vector<std::uint16_t> out(count);
  for (auto& x : out) x = to_bits(element, distribution(random));
  return out;
}

}  // namespace

AttentionCase::AttentionCase(Element element, int head_dim, const AttentionSizes& sizes)
    : element_(element), head_dim_(head_dim), sizes_(sizes), token_stride_(sizes.heads * head_dim + kGap) {
  const auto count = [&](int tokens) { return static_cast<size_t>(sizes.batch * tokens * token_stride_); };
  q = normal(element, count(sizes.queries), sizes.spread, 1);
  k = normal(element, count(sizes.keys), sizes.spread, 2);
  v = normal(element, count(sizes.keys), 1, 3);
  out.assign(count(sizes.queries), kUnwritten);
}

kernels::cuda::AttentionProblem AttentionCase::problem() {
  const auto tokens = [&](const std::vector<std::uint16_t>& x, int count) {
    return kernels::cuda::AttentionProblem::Tokens{x.data(), count * token_stride_, token_stride_, head_dim_};
  };
  return {.q = tokens(q, sizes_.queries),
          .k = tokens(k, sizes_.keys),
          .v = tokens(v, sizes_.keys),
          .out = out.data(),
          .out_batch_stride = sizes_.queries * token_stride_,
          .out_token_stride = token_stride_,
          .out_head_stride = head_dim_,
          .element = element_,
          .batch = sizes_.batch,
          .heads = sizes_.heads,
          .head_dim = head_dim_,
          .queries = sizes_.queries,
          .keys = sizes_.keys,
          .scale = 1 / std::sqrt(static_cast<float>(head_dim_))};
}

size_t AttentionCase::at(int tokens, int b, int t, int h, int c) const {
  return static_cast<size_t>((b * tokens + t) * token_stride_ + h * head_dim_ + c);
}

std::vector<double> AttentionCase::exact() const {
  const auto value = [&](const std::vector<std::uint16_t>& x, size_t i) { return double{from_bits(element_, x[i])}; };
  std::vector<double> result(out.size(), 0.0), p(static_cast<size_t>(sizes_.keys));
  for (int b = 0; b < sizes_.batch; ++b)
    for (int h = 0; h < sizes_.heads; ++h)
      for (int m = 0; m < sizes_.queries; ++m) {
        double sum = 0;
        for (int n = 0; n < sizes_.keys; ++n) {
          double score = 0;
          for (int c = 0; c < head_dim_; ++c)
            score += value(q, at(sizes_.queries, b, m, h, c)) * value(k, at(sizes_.keys, b, n, h, c));
          p[static_cast<size_t>(n)] = score / std::sqrt(static_cast<double>(head_dim_));
        }
        const double most = *std::max_element(p.begin(), p.end());
        for (auto& x : p) sum += x = std::exp(x - most);
        for (int n = 0; n < sizes_.keys; ++n)
          for (int c = 0; c < head_dim_; ++c)
            result[at(sizes_.queries, b, m, h, c)] +=
                p[static_cast<size_t>(n)] / sum * value(v, at(sizes_.keys, b, n, h, c));
      }
  return result;
}

double AttentionCase::error() const {
  const auto expected = exact();
  double difference = 0, size = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const bool owned = static_cast<int>(i) % token_stride_ < sizes_.heads * head_dim_;
    if (owned == (out[i] == kUnwritten)) return std::numeric_limits<double>::infinity();
    if (!owned) continue;
    difference += std::pow(from_bits(element_, out[i]) - expected[i], 2);
    size += expected[i] * expected[i];
  }
  return std::sqrt(difference / size);
}

}  // namespace fjord::testing
