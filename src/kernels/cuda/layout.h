// Where things lie: fragments of tensor-core instructions, tiles in shared memory, vectors of 16 bytes.
// Source of the fragments: PTX ISA 9.0, "Matrix Fragments for mma.m16n8k16 with floating point type" and "ldmatrix".
#pragma once

#include "kernels/cuda/device.h"
#include "kernels/cuda/kernels.h"

#include <cstdint>

namespace fjord::kernels::cuda {

constexpr int kWarp = 32;
constexpr int kChunkBytes = 16;  // of one asynchronous copy, one row of an 8x8 matrix, one vector access

struct Position {
  int row = 0;
  int column = 0;
};

// Element i (of 8) of A, 16 rows x 16 columns.
FJORD_BOTH constexpr Position a_position(int lane, int i) {
  return {lane / 4 + 8 * (i / 2 % 2), 2 * (lane % 4) + i % 2 + 8 * (i / 4)};
}
// Element i (of 4) of B, 16 rows x 8 columns.
FJORD_BOTH constexpr Position b_position(int lane, int i) { return {2 * (lane % 4) + i % 2 + 8 * (i / 2), lane / 4}; }
// Element i (of 4) of C and D, 16 rows x 8 columns.
FJORD_BOTH constexpr Position c_position(int lane, int i) { return {lane / 4 + 8 * (i / 2), 2 * (lane % 4) + i % 2}; }

// ldmatrix: lane l names row l % 8 of matrix l / 8. The blocks of 8x8 elements that it must name so that register i
// becomes register i of a fragment: {8-row block, 8-column block} of the tile in shared memory.
FJORD_BOTH constexpr Position a_block(int matrix) { return {matrix % 2, matrix / 2}; }
// B from rows that hold its columns (keys): two neighbouring 8-column tiles of B, registers {0, 1} and {2, 3}.
FJORD_BOTH constexpr Position b_block(int matrix) { return {matrix / 2, matrix % 2}; }
// B from rows that hold its rows (values), transposed on the way: likewise.
FJORD_BOTH constexpr Position b_block_transposed(int matrix) { return {matrix % 2, matrix / 2}; }

// Rows of a tile in shared memory: a head's channels, then zeros up to whole steps of 16 channels, then what makes the
// pitch an odd number of chunks. With an odd pitch the eight rows of an 8x8 matrix lie in eight different groups of
// banks, so no access is repeated.
template <int kHeadDim>
struct HeadRow {
  static_assert(kHeadDim % 8 == 0);
  static constexpr int kChunks = kHeadDim / 8;         // that hold channels
  static constexpr int kSteps = (kHeadDim + 15) / 16;  // of 16 channels, in products over channels
  static constexpr int kPitch = 2 * kSteps + 1;        // in chunks
  static constexpr int kBytes = kPitch * kChunkBytes;
  static constexpr bool kPadded = 2 * kSteps != kChunks;  // one chunk of zeros
};

// Portable attention: 128 queries against 64 keys at a time, two stages of keys and values.
template <int kHeadDim>
struct FlashTile {
  using Row = HeadRow<kHeadDim>;
  static constexpr int kQueries = 128;
  static constexpr int kKeys = 64;
  static constexpr int kScored = kHeadDim == 80 ? 32 : 64;  // keys whose scores are held at once, as registers allow
  static constexpr int kRowTiles = kHeadDim <= 80 ? 2 : 1;  // tiles of 16 queries in a warp, as registers allow
  static constexpr int kThreads = kWarp * kQueries / (16 * kRowTiles);
  static constexpr int kStageBytes = 2 * kKeys * Row::kBytes;
  static constexpr int kSharedBytes = 2 * kStageBytes;
  static_assert(kQueries == 2 * kKeys, "the queries are read through the second stage");
};

// Attention to a text: all keys and values of a head, in blocks of 80, and for every warp two buffers of 16 queries.
template <int kHeadDim>
struct TextTile {
  using Row = HeadRow<kHeadDim>;
  static constexpr int kKeys = 80;  // 77 and what a product of 16 needs
  static constexpr int kQueries = 16;
  static constexpr int kWarps = 4;
  static constexpr int kThreads = kWarp * kWarps;
  static constexpr int kBufferBytes = kQueries * Row::kBytes;
  FJORD_BOTH static constexpr int blocks(int keys) { return (keys + kKeys - 1) / kKeys; }
  FJORD_BOTH static constexpr int shared_bytes(int keys) {
    return 2 * blocks(keys) * kKeys * Row::kBytes + 2 * kWarps * kBufferBytes;
  }
};

// Blocks that share the queries of one head: about two for every multiprocessor in all, never more than there is work.
constexpr int text_attention_blocks(const AttentionProblem& p, int multiprocessors) {
  constexpr int kQueriesOfBlock = TextTile<64>::kQueries * TextTile<64>::kWarps;
  const int most = (p.queries + kQueriesOfBlock - 1) / kQueriesOfBlock;
  const int wanted = (2 * multiprocessors + p.batch * p.heads - 1) / (p.batch * p.heads);
  return wanted < 1 ? 1 : wanted < most ? wanted : most;
}

// 16 bytes of memory.
struct alignas(16) Vector {
  std::uint32_t words[4];
};

template <Element kElement>
struct ElementTraits {
  static constexpr int kBytes = kElement == Element::kFloat32 ? 4 : 2;
  static constexpr int kVector = kChunkBytes / kBytes;  // elements of a vector
};

constexpr int bytes_of(Element element) { return element == Element::kFloat32 ? 4 : 2; }

// A layer norm's row is held in the registers of a warp.
template <Element kElement>
struct LayerNormTile {
  static constexpr int kValues = 64;  // of a lane
  static constexpr int kVectors = kValues / ElementTraits<kElement>::kVector;
  static constexpr int kMaxFeatures = kValues * kWarp;
  static constexpr int kWarps = 4;
};
constexpr int kLayerNormMaxFeatures = 64 * kWarp;

// Group norm: partial sums of every channel over parts of the pixels, then their totals, then a pass that applies them.
struct GroupNormTile {
  static constexpr int kThreads = 256;
  static constexpr int kPartPixels = 256;  // at most, of one block of partial sums
  static constexpr int kMinParts = 64;     // where there are so many pixels
};
constexpr int group_norm_part(int pixels) {
  const int wanted = (pixels + GroupNormTile::kMinParts - 1) / GroupNormTile::kMinParts;
  return wanted < GroupNormTile::kPartPixels ? wanted : GroupNormTile::kPartPixels;
}
constexpr int group_norm_parts(int pixels) { return (pixels + group_norm_part(pixels) - 1) / group_norm_part(pixels); }
// Two sums a channel and part, then factor and term of every channel.
constexpr std::size_t group_norm_workspace(const GroupNormProblem& p) {
  return sizeof(float) * 2 * static_cast<std::size_t>(p.batch) * static_cast<std::size_t>(p.channels) *
         static_cast<std::size_t>(group_norm_parts(p.pixels) + 1);
}

}  // namespace fjord::kernels::cuda
