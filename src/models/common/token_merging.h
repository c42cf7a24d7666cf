// Token merging for diffusion: self-attention over fewer pixels, arXiv:2303.17604, by the bipartite soft matching of
// arXiv:2210.09461. Reference: tomesd, with its random choice of destinations switched off.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace fjord::models {

// The pixels of a feature map in the order of its rows, and the share of them to be merged away.
struct MergeGrid {
  std::int64_t height = 0;
  std::int64_t width = 0;
  double ratio = 0.0;  // 0 to 0.75

  // Pixels that are merged into others: that share of all, rounded down; none without a whole cell of 2x2.
  std::int64_t merged() const;
};

// The top left pixel of every 2x2 cell is a destination. Every other pixel has a favourite destination, the one most
// similar to it by the cosine; those nearest to theirs, grid.merged() of them, are merged into it by the mean. A last
// odd row or column has no destinations.
class TokenMerging {
 public:
  // x: [batch, height * width, features], by which the similarity goes.
  TokenMerging(const at::Tensor& x, const MergeGrid& grid);

  // [batch, height * width, features] -> [batch, fewer, features]: the pixels that stay, then the destinations.
  at::Tensor merge(const at::Tensor& x) const;
  // Back; a merged pixel gets what its destination has.
  at::Tensor unmerge(const at::Tensor& merged) const;

 private:
  at::Tensor gather(const at::Tensor& x, const at::Tensor& rows) const;

  // Indices of pixels, [batch, n], and of the favourites among the destinations, [batch, merged].
  at::Tensor kept_, merged_, destinations_, favourites_;
};

}  // namespace fjord::models
