// A Brownian motion that can be asked for its increment over any interval, always with the same answer.
// "Scalable Gradients for Stochastic Differential Equations", Li et al. 2020, arXiv:2001.01328, section 4.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace fjord::schedulers {

// Reference: torchsde.BrownianInterval(t0, t1, size, dtype, entropy=seed, tol=1e-6, pool_size=24, halfway_tree=True): a
// tree of halved intervals, down to times that are multiples of 1e-6. The increments of the halves follow from that of
// the whole (Levy's bridge), with noise whose seed depends on the place in the tree only.
class BrownianTree {
 public:
  // low < high; `shape` and `dtype` are those of increments, on the CPU.
  BrownianTree(double low, double high, std::vector<std::int64_t> shape, at::ScalarType dtype, std::uint64_t seed);

  // W(to) - W(from), from <= to; both are moved into the tree's interval.
  at::Tensor increment(double from, double to) const;

 private:
  struct Node;

  void add_increments(const Node& node, double from, double to, at::Tensor& sum) const;
  at::Tensor noise(std::uint32_t seed) const;

  double low_;
  double high_;
  std::vector<std::int64_t> shape_;
  at::ScalarType dtype_;
  std::uint64_t seed_;
  at::Tensor whole_;  // the increment from low to high
};

}  // namespace fjord::schedulers
