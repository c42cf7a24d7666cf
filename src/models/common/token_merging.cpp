#include "models/common/token_merging.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max.h>

#include <algorithm>

namespace fjord::models {
namespace {

// Whether a pixel is a destination: bool [height * width].
at::Tensor destination_mask(const MergeGrid& grid) {
  const auto rows = at::arange(grid.height, at::kLong), columns = at::arange(grid.width, at::kLong);
  const auto row_fits = rows.remainder(2).eq(0).logical_and(rows.lt(grid.height / 2 * 2));
  const auto column_fits = columns.remainder(2).eq(0).logical_and(columns.lt(grid.width / 2 * 2));
  return row_fits.unsqueeze(1).logical_and(column_fits.unsqueeze(0)).flatten();
}

// One row [n] of indices for every image of the batch.
at::Tensor for_batch(const at::Tensor& indices, const at::Tensor& like) {
  return indices.to(like.device()).unsqueeze(0).expand({like.size(0), -1});
}

// Row indices [batch, n] as gather wants them, [batch, n, features].
at::Tensor over_features(const at::Tensor& rows, const at::Tensor& x) {
  return rows.unsqueeze(-1).expand({-1, -1, x.size(2)});
}

}  // namespace

std::int64_t MergeGrid::merged() const {
  const auto pixels = height * width, destinations = (height / 2) * (width / 2);
  if (destinations == 0) return 0;
  return std::min(static_cast<std::int64_t>(ratio * static_cast<double>(pixels)), pixels - destinations);
}

TokenMerging::TokenMerging(const at::Tensor& x, const MergeGrid& grid) {
  const auto mask = destination_mask(grid);
  const auto sources = for_batch(mask.logical_not().nonzero().flatten(), x);
  destinations_ = for_batch(mask.nonzero().flatten(), x);
  const auto count = grid.merged();
  if (count == 0) {
    kept_ = sources;
    merged_ = favourites_ = sources.narrow(1, 0, 0);
    return;
  }
  const auto unit = x / x.norm(2, -1, /*keepdim=*/true);
  const auto similarity = at::bmm(gather(unit, sources), gather(unit, destinations_).transpose(1, 2));
  const auto [best, favourite] = at::max(similarity, -1);
  const auto order = best.argsort(/*stable=*/true, -1, /*descending=*/true);
  const auto nearest = order.narrow(1, 0, count);
  kept_ = sources.gather(1, order.narrow(1, count, order.size(1) - count));
  merged_ = sources.gather(1, nearest);
  favourites_ = favourite.gather(1, nearest);
}

at::Tensor TokenMerging::gather(const at::Tensor& x, const at::Tensor& rows) const {
  return x.gather(1, over_features(rows, x));
}

at::Tensor TokenMerging::merge(const at::Tensor& x) const {
  const auto mean =
      gather(x, destinations_).scatter_reduce(1, over_features(favourites_, x), gather(x, merged_), "mean", true);
  return at::cat({gather(x, kept_), mean}, 1);
}

at::Tensor TokenMerging::unmerge(const at::Tensor& merged) const {
  const auto kept = merged.narrow(1, 0, kept_.size(1));
  const auto means = merged.narrow(1, kept_.size(1), destinations_.size(1));
  const auto pixels = kept_.size(1) + merged_.size(1) + destinations_.size(1);
  auto out = at::empty({merged.size(0), pixels, merged.size(2)}, merged.options());
  out.scatter_(1, over_features(kept_, merged), kept);
  out.scatter_(1, over_features(destinations_, merged), means);
  out.scatter_(1, over_features(merged_, merged), gather(means, favourites_));
  return out;
}

}  // namespace fjord::models
