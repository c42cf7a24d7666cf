// Maps of fragments and tiles: what the documents say, and what no hardware forgives.
#include "kernels/cuda/group_norm_body.h"
#include "kernels/cuda/warp_tiles.h"

#include <gtest/gtest.h>

#include <set>

namespace fjord::kernels::cuda {

bool operator<(const Position& a, const Position& b) { return a.row != b.row ? a.row < b.row : a.column < b.column; }
bool operator==(const Position& a, const Position& b) { return a.row == b.row && a.column == b.column; }

namespace {

template <typename Map>
size_t distinct(Map map, int elements, int rows, int columns) {
  std::set<Position> seen;
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < elements; ++i) {
      const auto at = map(lane, i);
      EXPECT_TRUE(at.row >= 0 && at.row < rows && at.column >= 0 && at.column < columns);
      seen.insert(at);
    }
  return seen.size();
}

TEST(FragmentTest, HoldsEveryElementOnce) {
  EXPECT_EQ(distinct(a_position, 8, 16, 16), 256U);
  EXPECT_EQ(distinct(b_position, 4, 16, 8), 128U);
  EXPECT_EQ(distinct(c_position, 4, 16, 8), 128U);
}

// PTX ISA, figures of mma.m16n8k16: a few cells read off by hand.
TEST(FragmentTest, LiesAsDocumented) {
  EXPECT_TRUE((a_position(0, 0) == Position{0, 0}));
  EXPECT_TRUE((a_position(5, 1) == Position{1, 3}));
  EXPECT_TRUE((a_position(5, 2) == Position{9, 2}));
  EXPECT_TRUE((a_position(31, 4) == Position{7, 14}));
  EXPECT_TRUE((a_position(31, 7) == Position{15, 15}));
  EXPECT_TRUE((b_position(4, 0) == Position{0, 1}));
  EXPECT_TRUE((b_position(31, 3) == Position{15, 7}));
  EXPECT_TRUE((c_position(6, 1) == Position{1, 5}));
  EXPECT_TRUE((c_position(31, 2) == Position{15, 6}));
}

// Scores become probabilities in place: two neighbouring tiles of C are one fragment of A.
TEST(FragmentTest, TwoTilesOfResultsAreOneOfA) {
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 8; ++i) {
      const int tile = i / 4, element = i % 4;
      auto at = c_position(lane, element);
      at.column += 8 * tile;
      EXPECT_TRUE(a_position(lane, i) == at);
    }
}

// The element of a tile in shared memory that ldmatrix puts into half `i` of a lane's registers.
Position loaded(Position (*block)(int), int lane, int i, bool transposed) {
  const auto from = block(i / 2);
  const int row = lane / 4, column = 2 * (lane % 4) + i % 2;
  return {8 * from.row + (transposed ? column : row), 8 * from.column + (transposed ? row : column)};
}

TEST(FragmentTest, LoadsFillThem) {
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 8; ++i) {
      EXPECT_TRUE(loaded(a_block, lane, i, false) == a_position(lane, i));
      const auto b = b_position(lane, i % 4);
      EXPECT_TRUE((loaded(b_block, lane, i, false) == Position{b.column + 8 * (i / 4), b.row}));
      EXPECT_TRUE((loaded(b_block_transposed, lane, i, true) == Position{b.row, b.column + 8 * (i / 4)}));
    }
}

// Eight rows of 16 bytes are read at once; the 32 banks of 4 bytes hold them without a second turn.
template <int kHeadDim>
void expect_no_conflicts() {
  using Row = HeadRow<kHeadDim>;
  EXPECT_GE(Row::kPitch, 2 * Row::kSteps);
  EXPECT_EQ(Row::kSteps, (kHeadDim + 15) / 16);
  for (auto* block : {a_block, b_block, b_block_transposed})
    for (int matrix = 0; matrix < 4; ++matrix) {
      std::set<unsigned> groups;
      for (int lane = 8 * matrix; lane < 8 * matrix + 8; ++lane)
        groups.insert(matrix_row<kHeadDim>(block(matrix), lane) / 16 % 8);
      EXPECT_EQ(groups.size(), 8U) << kHeadDim;
    }
  std::set<int> banks;  // a warp's results, two elements a lane
  for (int lane = 0; lane < 32; ++lane) {
    const auto at = c_position(lane, 0);
    banks.insert((at.row * Row::kBytes + 2 * at.column) / 4 % 32);
  }
  EXPECT_EQ(banks.size(), 32U) << kHeadDim;
}

TEST(TileTest, IsReadWithoutBankConflicts) {
  expect_no_conflicts<40>();
  expect_no_conflicts<64>();
  expect_no_conflicts<80>();
  expect_no_conflicts<128>();
  expect_no_conflicts<160>();
}

// Shared memory of a block: 99 KiB on 8.6 and 8.9, 163 KiB on 8.0, 227 KiB on 9.0 (CUDA programming guide, table of
// technical specifications).
TEST(TileTest, FitsSharedMemory) {
  constexpr int kSmallest = 99 * 1024;
  EXPECT_LE(FlashTile<160>::kSharedBytes, kSmallest);
  EXPECT_LE(TextTile<160>::shared_bytes(77), kSmallest);
  EXPECT_LE(TextTile<64>::shared_bytes(154), kSmallest);
  EXPECT_EQ(TextTile<64>::blocks(77), 1);
  EXPECT_EQ(TextTile<64>::blocks(154), 2);
  EXPECT_EQ(TextTile<64>::blocks(231), 3);
}

TEST(TileTest, TextBlocksCoverTheQueries) {
  AttentionProblem p;
  p.batch = 2;
  p.heads = 10;
  p.queries = 4096;
  EXPECT_EQ(text_attention_blocks(p, 132), 14);
  p.queries = 100;
  EXPECT_EQ(text_attention_blocks(p, 132), 2);
  p.batch = 100;
  EXPECT_EQ(text_attention_blocks(p, 132), 1);
}

TEST(TileTest, EveryVectorOfAPartHasOneThread) {
  for (const int vectors : {1, 5, 40, 64, 80, 160, 320, 640}) {
    std::set<Position> seen;
    for (int tile = 0; tile < PixelShare::tiles(vectors); ++tile)
      for (int thread = 0; thread < GroupNormTile::kThreads; ++thread) {
        const auto share = pixel_share(thread, tile, vectors);
        if (share.idle) continue;
        EXPECT_TRUE(seen.insert({share.row, share.column}).second);
        EXPECT_LT(share.row, share.rows);
      }
    EXPECT_EQ(static_cast<int>(seen.size()) % vectors, 0) << vectors;
    EXPECT_GE(static_cast<int>(seen.size()), vectors);
  }
}

TEST(TileTest, PartsCoverThePixels) {
  for (const int pixels : {1, 2, 63, 64, 65, 4096, 16384, 262144}) {
    EXPECT_GE(group_norm_parts(pixels) * group_norm_part(pixels), pixels);
    EXPECT_LT((group_norm_parts(pixels) - 1) * group_norm_part(pixels), pixels);
  }
}

}  // namespace
}  // namespace fjord::kernels::cuda
