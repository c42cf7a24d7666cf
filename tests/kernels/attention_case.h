// A case of attention for the emulated kernels: random tokens in 16-bit memory with odd strides, and the float64
// answer.
#pragma once

#include "kernels/float16.h"

#include <cstdint>
#include <vector>

namespace fjord::testing {

struct AttentionSizes {
  int batch = 1, heads = 1, queries = 1, keys = 1;
  float spread = 1;  // standard deviation of queries and keys
};

class AttentionCase {
 public:
  AttentionCase(Element element, int head_dim, const AttentionSizes& sizes);

  // Over this object's memory; out holds NaN before.
  kernels::cuda::AttentionProblem problem();
  // |out - exact| / |exact| in the L2 norm; infinite where an element was not written or one beside it was.
  double error() const;

  std::vector<std::uint16_t> q, k, v, out;

 private:
  std::vector<double> exact() const;
  size_t at(int tokens, int b, int t, int h, int c) const;

  Element element_;
  int head_dim_;
  AttentionSizes sizes_;
  int token_stride_;
};

}  // namespace fjord::testing
