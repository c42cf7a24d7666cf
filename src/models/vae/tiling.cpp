#include "models/vae/tiling.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <vector>

namespace fjord::models {
namespace {

// diffusers' tile_overlap_factor of 0.25.
std::int64_t without_overlap(std::int64_t side) { return side * 3 / 4; }
std::int64_t overlap(std::int64_t side) { return side / 4; }

// The first rows (dim 2) or columns (dim 3) of `tile` go over from the last ones of the tile before.
void blend(const at::Tensor& before, const at::Tensor& tile, std::int64_t dim, std::int64_t extent) {
  const auto count = std::min({before.size(dim), tile.size(dim), extent});
  if (count == 0) return;
  std::vector<std::int64_t> along(4, 1);
  along[static_cast<size_t>(dim)] = count;
  const auto share = (at::arange(count, at::kDouble) / static_cast<double>(count)).to(tile.options()).view(along);
  auto begin = tile.narrow(dim, 0, count);
  begin.copy_(before.narrow(dim, before.size(dim) - count, count) * (1 - share) + begin * share);
}

}  // namespace

bool needs_tiles(const at::Tensor& x, const Tiles& tiles) { return std::max(x.size(2), x.size(3)) > tiles.in; }

at::Tensor in_tiles(const at::Tensor& x, const Tiles& tiles, const std::function<at::Tensor(const at::Tensor&)>& f) {
  const auto step = std::max<std::int64_t>(1, without_overlap(tiles.in)), extent = overlap(tiles.out);
  const auto limit = tiles.out - extent;
  std::vector<at::Tensor> above, row, bands;
  for (std::int64_t y = 0; y < x.size(2); y += step) {
    std::vector<at::Tensor> parts;
    row.clear();
    for (std::int64_t left = 0; left < x.size(3); left += step) {
      row.push_back(f(x.slice(2, y, y + tiles.in).slice(3, left, left + tiles.in)));
      if (y > 0) blend(above[row.size() - 1], row.back(), 2, extent);
      if (left > 0) blend(row[row.size() - 2], row.back(), 3, extent);
      parts.push_back(row.back().slice(2, 0, limit).slice(3, 0, limit));
    }
    bands.push_back(at::cat(parts, 3));
    above = row;
  }
  return at::cat(bands, 2);
}

}  // namespace fjord::models
