// Attention in one pass over the keys with a running softmax (arXiv:2205.14135, arXiv:2307.08691), exact for every head
// size: tensor cores by mma.m16n8k16, copies in the background, probabilities never leave the registers.
// A block does 128 queries of one head; a warp does 16 or 32 of them against all keys.
#pragma once

#include "kernels/cuda/warp_tiles.h"

namespace fjord::kernels::cuda {

template <Element kElement, int kHeadDim, typename Hw>
class FlashAttention {
 public:
  FJORD_DEVICE FlashAttention(Hw& hw, const AttentionProblem& problem) : hw_(hw), p_(problem) {}

  FJORD_DEVICE void run() {
    const int batch = hw_.block_y() / p_.heads, head = hw_.block_y() % p_.heads;
    const int first_query = hw_.block_x() * Tile::kQueries;
    const auto keys = head_tokens(p_.k, batch, head, p_.keys), values = head_tokens(p_.v, batch, head, p_.keys);
    const int tiles = (p_.keys + Tile::kKeys - 1) / Tile::kKeys;
    clear_padding<kHeadDim>(hw_, 0, 4 * Tile::kKeys, everyone());
    read_queries(head_tokens(p_.q, batch, head, p_.queries), first_query, keys, values);
    for (int tile = 0; tile < tiles; ++tile) {
      if (tile + 1 < tiles) copy_stage(keys, values, tile + 1);
      hw_.commit_copies();
      hw_.template wait_for_copies<1>();  // all but the latest group: this tile is there
      hw_.barrier();
      FJORD_UNROLL
      for (int first = 0; first < Tile::kKeys; first += Tile::kScored) attend(tile, first, tile + 1 == tiles);
      hw_.barrier();  // before the stage is written again
    }
    write(batch, head, first_query);
  }

 private:
  using Tile = FlashTile<kHeadDim>;
  using Row = HeadRow<kHeadDim>;
  static constexpr int kKeyTiles = Tile::kScored / 8;
  static constexpr int kRows = 16 * Tile::kRowTiles;  // of a warp

  FJORD_DEVICE Share everyone() const { return {hw_.thread(), Tile::kThreads}; }
  FJORD_DEVICE static unsigned stage(int tile) { return static_cast<unsigned>(tile % 2 * Tile::kStageBytes); }
  FJORD_DEVICE static unsigned values_in(unsigned stage) {
    return stage + static_cast<unsigned>(Tile::kKeys * Row::kBytes);
  }
  FJORD_DEVICE unsigned rows_of_warp(unsigned offset) const {
    return offset + static_cast<unsigned>(hw_.thread() / kWarp * kRows * Row::kBytes);
  }

  FJORD_DEVICE void copy_stage(const HeadTokens& keys, const HeadTokens& values, int tile) {
    copy_rows<kHeadDim, Tile::kKeys>(hw_, stage(tile), keys, tile * Tile::kKeys, everyone());
    copy_rows<kHeadDim, Tile::kKeys>(hw_, values_in(stage(tile)), values, tile * Tile::kKeys, everyone());
  }

  // The queries come through the second stage into registers while the first stage fills.
  FJORD_DEVICE void read_queries(const HeadTokens& queries, int first, const HeadTokens& keys,
                                 const HeadTokens& values) {
    copy_rows<kHeadDim, Tile::kQueries>(hw_, stage(1), queries, first, everyone());
    hw_.commit_copies();
    copy_stage(keys, values, 0);
    hw_.commit_copies();
    hw_.template wait_for_copies<1>();
    hw_.barrier();
    FJORD_UNROLL
    for (int r = 0; r < Tile::kRowTiles; ++r) {
      load_queries<kHeadDim>(hw_, rows_of_warp(stage(1)) + static_cast<unsigned>(16 * r * Row::kBytes), q_[r]);
      FJORD_UNROLL
      for (int half = 0; half < 2; ++half) {
        maximum_[r][half] = -INFINITY;
        total_[r][half] = 0;
      }
      FJORD_UNROLL
      for (int c = 0; c < Row::kChunks; ++c) FJORD_UNROLL
      for (int i = 0; i < 4; ++i) out_[r][c][i] = 0;
    }
    hw_.barrier();
  }

  // To the keys [first, first + kScored) of a tile.
  FJORD_DEVICE void attend(int tile, int first, bool last) {
    const int first_key = tile * Tile::kKeys + first;
    if (last && first_key >= p_.keys) return;  // so the maximum is of a key that exists
    const unsigned rows = static_cast<unsigned>(first * Row::kBytes);
    float scores[Tile::kRowTiles][kKeyTiles][4];
    multiply_keys<kElement, kHeadDim>(hw_, stage(tile) + rows, q_, scores);
    FJORD_UNROLL
    for (int r = 0; r < Tile::kRowTiles; ++r) {
      if (last) hide_missing_keys(hw_, scores[r], first_key, p_.keys);
      FJORD_UNROLL
      for (int half = 0; half < 2; ++half) soften(r, half, scores[r]);
    }
    multiply_values<kElement, kHeadDim>(hw_, values_in(stage(tile)) + rows, scores, out_);
  }

  // The running softmax of a row; its maximum is finite, since one of the keys exists.
  FJORD_DEVICE void soften(int r, int half, float (&scores)[kKeyTiles][4]) {
    const float factor = p_.scale * kLog2e;
    const float before = maximum_[r][half];
    const float now = row_maximum(hw_, maximum_of(scores, half, before));
    const float shrink = hw_.exp2((before - now) * factor);
    maximum_[r][half] = now;
    total_[r][half] = total_[r][half] * shrink + exponentiate(hw_, scores, half, factor, now * factor);
    FJORD_UNROLL
    for (int c = 0; c < Row::kChunks; ++c) {
      out_[r][c][2 * half] *= shrink;
      out_[r][c][2 * half + 1] *= shrink;
    }
  }

  FJORD_DEVICE void write(int batch, int head, int first_query) {
    const unsigned rows = rows_of_warp(0);
    FJORD_UNROLL
    for (int r = 0; r < Tile::kRowTiles; ++r) {
      FJORD_UNROLL
      for (int half = 0; half < 2; ++half) total_[r][half] = row_sum(hw_, total_[r][half]);
      stage_results<kElement, kHeadDim>(hw_, rows + static_cast<unsigned>(16 * r * Row::kBytes), out_[r], total_[r]);
    }
    hw_.warp_barrier();
    write_rows<kHeadDim>(hw_, rows, p_, batch, head, first_query + hw_.thread() / kWarp * kRows, kRows);
  }

  static constexpr float kLog2e = 1.4426950408889634F;

  Hw& hw_;
  const AttentionProblem& p_;
  std::uint32_t q_[Tile::kRowTiles][Row::kSteps][4];
  float out_[Tile::kRowTiles][Row::kChunks][4];
  // Of the rows lane / 4 and lane / 4 + 8 of every tile; totals are of a lane's own columns until write().
  float maximum_[Tile::kRowTiles][2];
  float total_[Tile::kRowTiles][2];
};

}  // namespace fjord::kernels::cuda
