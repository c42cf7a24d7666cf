// Attention to a text: all keys and values of a head stay in shared memory while the block's warps walk over tiles of
// 16 queries. The softmax is exact, with the row's maximum known before the first exponential: for more than 80 keys
// the scores are computed twice, which costs less than waiting for memory does.
#pragma once

#include "kernels/cuda/warp_tiles.h"

namespace fjord::kernels::cuda {

template <Element kElement, int kHeadDim, typename Hw>
class TextAttention {
 public:
  FJORD_DEVICE TextAttention(Hw& hw, const AttentionProblem& problem)
      : hw_(hw), p_(problem), blocks_(Tile::blocks(problem.keys)) {}

  FJORD_DEVICE void run() {
    const int batch = hw_.block_y() / p_.heads, head = hw_.block_y() % p_.heads;
    const Share everyone{hw_.thread(), Tile::kThreads};
    const auto keys = head_tokens(p_.k, batch, head, p_.keys), values = head_tokens(p_.v, batch, head, p_.keys);
    clear_padding<kHeadDim>(hw_, 0, 2 * (blocks_ * Tile::kKeys + Tile::kWarps * Tile::kQueries), everyone);
    for (int block = 0; block < blocks_; ++block) {
      copy_rows<kHeadDim, Tile::kKeys>(hw_, keys_of(block), keys, block * Tile::kKeys, everyone);
      copy_rows<kHeadDim, Tile::kKeys>(hw_, values_of(block), values, block * Tile::kKeys, everyone);
    }
    const auto queries = head_tokens(p_.q, batch, head, p_.queries);
    const int tiles = (p_.queries + Tile::kQueries - 1) / Tile::kQueries;
    const int step = hw_.grid_x() * Tile::kWarps;
    int tile = hw_.block_x() * Tile::kWarps + hw_.thread() / kWarp;
    copy_queries(queries, tile, 0);
    hw_.commit_copies();
    hw_.template wait_for_copies<0>();
    hw_.barrier();  // from here on every warp is on its own
    for (int buffer = 0; tile < tiles; tile += step, buffer ^= 1) {
      copy_queries(queries, tile + step, buffer ^ 1);
      hw_.commit_copies();
      hw_.template wait_for_copies<1>();
      hw_.warp_barrier();
      load_queries<kHeadDim>(hw_, buffer_of(buffer), q_[0]);
      attend();
      write(batch, head, tile, buffer);
    }
  }

 private:
  using Tile = TextTile<kHeadDim>;
  using Row = HeadRow<kHeadDim>;
  static constexpr int kKeyTiles = Tile::kKeys / 8;

  FJORD_DEVICE static unsigned keys_of(int block) {
    return static_cast<unsigned>(2 * block * Tile::kKeys * Row::kBytes);
  }
  FJORD_DEVICE static unsigned values_of(int block) {
    return static_cast<unsigned>((2 * block + 1) * Tile::kKeys * Row::kBytes);
  }
  FJORD_DEVICE unsigned buffer_of(int buffer) const {
    return keys_of(blocks_) + static_cast<unsigned>((hw_.thread() / kWarp * 2 + buffer) * Tile::kBufferBytes);
  }

  FJORD_DEVICE void copy_queries(const HeadTokens& queries, int tile, int buffer) {
    copy_rows<kHeadDim, Tile::kQueries>(hw_, buffer_of(buffer), queries, tile * Tile::kQueries, {hw_.lane(), kWarp});
  }

  FJORD_DEVICE void score(int block) {
    multiply_keys<kElement, kHeadDim>(hw_, keys_of(block), q_, scores_);
    if (block + 1 == blocks_) hide_missing_keys(hw_, scores_[0], block * Tile::kKeys, p_.keys);
  }

  FJORD_DEVICE void attend() {
    float maximum[2] = {-INFINITY, -INFINITY};
    for (int block = 0; block < blocks_; ++block) {
      score(block);
      FJORD_UNROLL
      for (int half = 0; half < 2; ++half) maximum[half] = maximum_of(scores_[0], half, maximum[half]);
    }
    FJORD_UNROLL
    for (int half = 0; half < 2; ++half) {
      maximum[half] = row_maximum(hw_, maximum[half]);
      total_[half] = 0;
    }
    FJORD_UNROLL
    for (int c = 0; c < Row::kChunks; ++c) FJORD_UNROLL
    for (int i = 0; i < 4; ++i) out_[0][c][i] = 0;
    const float factor = p_.scale * 1.4426950408889634F;
    for (int block = 0; block < blocks_; ++block) {
      if (blocks_ > 1) score(block);
      FJORD_UNROLL
      for (int half = 0; half < 2; ++half)
        total_[half] += exponentiate(hw_, scores_[0], half, factor, maximum[half] * factor);
      multiply_values<kElement, kHeadDim>(hw_, values_of(block), scores_, out_);
    }
  }

  // Through the warp's own buffer, whose queries are in registers by now.
  FJORD_DEVICE void write(int batch, int head, int tile, int buffer) {
    FJORD_UNROLL
    for (int half = 0; half < 2; ++half) total_[half] = row_sum(hw_, total_[half]);
    hw_.warp_barrier();
    stage_results<kElement, kHeadDim>(hw_, buffer_of(buffer), out_[0], total_);
    hw_.warp_barrier();
    write_rows<kHeadDim>(hw_, buffer_of(buffer), p_, batch, head, tile * Tile::kQueries, Tile::kQueries);
    hw_.warp_barrier();  // before the buffer is filled again
  }

  Hw& hw_;
  const AttentionProblem& p_;
  int blocks_;
  std::uint32_t q_[1][Row::kSteps][4];
  float scores_[1][kKeyTiles][4];
  float out_[1][Row::kChunks][4];
  float total_[2];
};

}  // namespace fjord::kernels::cuda
