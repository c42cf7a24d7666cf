// Nothing is kept: every query walks down from the root, two dozen draws at most for each end.
#include "schedulers/brownian_tree.h"

#include "schedulers/seed_sequence.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace fjord::schedulers {
namespace {

constexpr size_t kPool = 24;

// Six digits after the point, as Python's round(): by the number's exact value, not by that of a product with 1e6.
double rounded(double time) {
  std::array<char, 64> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), time, std::chars_format::fixed, 6);
  std::from_chars(text.data(), written.ptr, time);
  return time;
}

}  // namespace

// An interval of the tree, its place in it, and its increment.
struct BrownianTree::Node {
  double begin;
  double end;
  std::uint64_t key;  // 0 for the root, 2 key and 2 key + 1 for the halves
  std::uint64_t depth;
  at::Tensor increment;
};

BrownianTree::BrownianTree(double low, double high, std::vector<std::int64_t> shape, at::ScalarType dtype,
                           std::uint64_t seed)
    : low_(rounded(low)), high_(rounded(high)), shape_(std::move(shape)), dtype_(dtype), seed_(seed) {
  whole_ = noise(seed_sequence(seed, {}, kPool, 1)[0]) * std::sqrt(high - low);
}

at::Tensor BrownianTree::noise(std::uint32_t seed) const {
  return at::randn(shape_, at::detail::createCPUGenerator(seed), at::TensorOptions().dtype(dtype_));
}

void BrownianTree::add_increments(const Node& node, double from, double to, at::Tensor& sum) const {
  if (from == node.begin && to == node.end) {
    sum = sum.defined() ? sum + node.increment : node.increment;
    return;
  }
  const double middle = rounded(0.5 * (node.end + node.begin));
  const auto seed = seed_sequence(seed_, {node.key, node.depth}, kPool, 1)[0];
  const double inverse = 1 / (node.end - node.begin);
  const double left = middle - node.begin;
  const double right = node.end - middle;
  const at::Tensor mean = node.increment * left * inverse;
  const at::Tensor left_increment = mean + noise(seed) * std::sqrt(left * right * inverse);
  if (from < middle) {
    add_increments({node.begin, middle, 2 * node.key, node.depth + 1, left_increment}, from, std::min(to, middle), sum);
  }
  if (to > middle) {
    add_increments({middle, node.end, 2 * node.key + 1, node.depth + 1, node.increment - left_increment},
                   std::max(from, middle), to, sum);
  }
}

at::Tensor BrownianTree::increment(double from, double to) const {
  const double begin = std::clamp(rounded(from), low_, high_);
  const double end = std::clamp(rounded(to), low_, high_);
  if (begin >= end) return at::zeros(shape_, at::TensorOptions().dtype(dtype_));
  at::Tensor sum;
  add_increments({low_, high_, 0, 0, whole_}, begin, end, sum);
  return sum;
}

}  // namespace fjord::schedulers
