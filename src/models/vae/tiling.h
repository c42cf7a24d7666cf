// A map computed tile by tile, the tiles blended where they overlap.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace fjord::models {

// Square tiles; a quarter of each side overlaps the next tile.
struct Tiles {
  std::int64_t in = 0;   // side of a tile of the input
  std::int64_t out = 0;  // side of what `f` makes of it
};

// Whether [batch, channels, height, width] is larger than a tile.
bool needs_tiles(const at::Tensor& x, const Tiles& tiles);

// f of every tile of x [batch, channels, height, width], put together; linear blending in the overlaps. Least memory of
// f: that of one tile. Reference: diffusers AutoencoderKL.tiled_decode and tiled_encode.
at::Tensor in_tiles(const at::Tensor& x, const Tiles& tiles, const std::function<at::Tensor(const at::Tensor&)>& f);

}  // namespace fjord::models
