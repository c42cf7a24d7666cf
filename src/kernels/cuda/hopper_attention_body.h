// Attention for Hopper: one warpgroup copies queries, keys and values by TMA, two compute 64 queries each with wgmma:
// scores from shared memory, probabilities from registers. While one waits for its products the other does its softmax.
#pragma once

#include "kernels/cuda/hopper_layout.h"
#include "kernels/cuda/warp_tiles.h"

namespace fjord::kernels::cuda {

// `Maps`: what Hw::copy_panel reads queries, keys and values through, as members q, k, v.
template <Element kElement, int kHeadDim, typename Hw, typename Maps>
class HopperAttention {
 public:
  FJORD_DEVICE HopperAttention(Hw& hw, const AttentionProblem& problem, const Maps& maps)
      : hw_(hw), p_(problem), maps_(maps), base_(hw.aligned_offset(kSwizzleBytes)) {}

  FJORD_DEVICE void run() {
    if (hw_.thread() == 0) {
      hw_.init_barrier(queries_there(), 1);
      for (int stage = 0; stage < Tile::kStages; ++stage) {
        hw_.init_barrier(full(stage), 1);
        hw_.init_barrier(empty(stage), Tile::kConsumers * kWarpgroup);
      }
      hw_.publish_barriers();
    }
    hw_.barrier();
    if (hw_.thread() < kWarpgroup) {
      hw_.template give_registers<24>();
      if (hw_.thread() == 0) feed();
      return;
    }
    hw_.template take_registers<240>();
    compute(hw_.thread() / kWarpgroup - 1);
  }

 private:
  using Tile = HopperTile<kHeadDim>;
  static constexpr int kKeyTiles = Tile::kKeys / 8;
  static constexpr int kChunks = kHeadDim / 8;

  FJORD_DEVICE int batch() const { return hw_.block_y() / p_.heads; }
  FJORD_DEVICE int head() const { return hw_.block_y() % p_.heads; }
  FJORD_DEVICE int tiles() const { return (p_.keys + Tile::kKeys - 1) / Tile::kKeys; }

  FJORD_DEVICE unsigned keys_in(int stage) const {
    return base_ + static_cast<unsigned>(Tile::kQueryBytes + stage * Tile::kStageBytes);
  }
  FJORD_DEVICE unsigned values_in(int stage) const {
    return keys_in(stage) + static_cast<unsigned>(Tile::kPanels * Tile::kKeyPanelBytes);
  }
  FJORD_DEVICE unsigned queries_there() const {
    return base_ + static_cast<unsigned>(Tile::kQueryBytes + Tile::kStages * Tile::kStageBytes);
  }
  FJORD_DEVICE unsigned full(int stage) const { return queries_there() + static_cast<unsigned>(8 * (1 + stage)); }
  FJORD_DEVICE unsigned empty(int stage) const { return full(Tile::kStages) + static_cast<unsigned>(8 * stage); }

  // One thread. A stage is written again when both warpgroups have let go of it.
  FJORD_DEVICE void feed() {
    hw_.expect_bytes(queries_there(), Tile::kQueryBytes);
    copy(maps_.q, base_, Tile::kQueryPanelBytes, hw_.block_x() * Tile::kQueries, queries_there());
    for (int tile = 0; tile < tiles(); ++tile) {
      const int stage = tile % Tile::kStages, turn = tile / Tile::kStages;
      if (turn > 0) hw_.wait_barrier(empty(stage), (turn - 1) % 2);
      hw_.expect_bytes(full(stage), Tile::kStageBytes);
      copy(maps_.k, keys_in(stage), Tile::kKeyPanelBytes, tile * Tile::kKeys, full(stage));
      copy(maps_.v, values_in(stage), Tile::kKeyPanelBytes, tile * Tile::kKeys, full(stage));
    }
  }

  template <typename Map>
  FJORD_DEVICE void copy(const Map& map, unsigned offset, int panel_bytes, int first_row, unsigned barrier) {
    for (int panel = 0; panel < Tile::kPanels; ++panel)
      hw_.copy_panel(offset + static_cast<unsigned>(panel * panel_bytes), map, panel * kPanelColumns, head(), first_row,
                     batch(), barrier);
  }

  FJORD_DEVICE void compute(int consumer) {
    FJORD_UNROLL
    for (int c = 0; c < kChunks; ++c) FJORD_UNROLL
    for (int i = 0; i < 4; ++i) out_[c][i] = 0;
    hw_.wait_barrier(queries_there(), 0);
    const unsigned queries = base_ + static_cast<unsigned>(consumer * 64 * kPanelRowBytes);
    for (int tile = 0; tile < tiles(); ++tile) {
      const int stage = tile % Tile::kStages;
      hw_.wait_barrier(full(stage), tile / Tile::kStages % 2);
      attend(queries, stage, tile);
      hw_.arrive(empty(stage));
    }
    write(hw_.block_x() * Tile::kQueries + consumer * 64 + hw_.thread() / kWarp % 4 * 16);
  }

  FJORD_DEVICE void attend(unsigned queries, int stage, int tile) {
    float scores[kKeyTiles][4];
    hw_.begin_products();
    FJORD_UNROLL
    for (int step = 0; step < Tile::kSteps; ++step) {
      const auto panel = static_cast<unsigned>(step / 4), within = static_cast<unsigned>(step % 4 * 32);
      const auto a = hw_.descriptor(queries + panel * static_cast<unsigned>(Tile::kQueryPanelBytes) + within);
      const auto b = hw_.descriptor(keys_in(stage) + panel * static_cast<unsigned>(Tile::kKeyPanelBytes) + within);
      hw_.template multiply_shared<kElement, Tile::kKeys>(scores, a, b, step > 0);
    }
    hw_.end_products(scores);
    if (tile + 1 == tiles()) hide_missing_keys(hw_, scores, tile * Tile::kKeys, p_.keys);
    FJORD_UNROLL
    for (int half = 0; half < 2; ++half) soften(half, scores);
    add_values(values_in(stage), scores);
  }

  FJORD_DEVICE void soften(int half, float (&scores)[kKeyTiles][4]) {
    const float factor = p_.scale * 1.4426950408889634F;
    const float before = maximum_[half];
    const float now = row_maximum(hw_, maximum_of(scores, half, before));
    const float shrink = hw_.exp2((before - now) * factor);
    maximum_[half] = now;
    total_[half] = total_[half] * shrink + exponentiate(hw_, scores, half, factor, now * factor);
    FJORD_UNROLL
    for (int c = 0; c < kChunks; ++c) {
      out_[c][2 * half] *= shrink;
      out_[c][2 * half + 1] *= shrink;
    }
  }

  FJORD_DEVICE void add_values(unsigned values, const float (&p)[kKeyTiles][4]) {
    std::uint32_t a[Tile::kKeys / 16][4];
    FJORD_UNROLL
    for (int step = 0; step < Tile::kKeys / 16; ++step) FJORD_UNROLL
    for (int i = 0; i < 4; ++i) {
      const float* pair = p[2 * step + i / 2] + 2 * (i % 2);
      a[step][i] = hw_.template pack<kElement>(pair[0], pair[1]);
    }
    hw_.begin_products();
    FJORD_UNROLL
    for (int step = 0; step < Tile::kKeys / 16; ++step) {
      const unsigned rows = values + static_cast<unsigned>(step * 16 * kPanelRowBytes);
      add_panel<0>(rows, a[step]);
      if constexpr (Tile::kPanels > 1) add_panel<1>(rows, a[step]);
      if constexpr (Tile::kPanels > 2) add_panel<2>(rows, a[step]);
    }
    hw_.end_products(out_);
  }

  template <int kPanel>
  FJORD_DEVICE void add_panel(unsigned rows, const std::uint32_t (&a)[4]) {
    const auto b = hw_.descriptor(rows + static_cast<unsigned>(kPanel * Tile::kKeyPanelBytes));
    hw_.template multiply_registers<kElement, Tile::panel_columns(kPanel)>(out_ + kPanel * (kPanelColumns / 8), a, b);
  }

  // Straight from the registers: four lanes write 16 bytes of a row at a time.
  FJORD_DEVICE void write(int first_row) {
    auto* const out = static_cast<char*>(p_.out) + 2 * (batch() * p_.out_batch_stride + head() * p_.out_head_stride);
    FJORD_UNROLL
    for (int half = 0; half < 2; ++half) {
      const float inverse = hw_.divide(1.0F, row_sum(hw_, total_[half]));
      const auto at = c_position(hw_.lane(), 2 * half);
      if (first_row + at.row >= p_.queries) continue;
      char* const row = out + 2 * ((first_row + at.row) * p_.out_token_stride + at.column);
      FJORD_UNROLL
      for (int c = 0; c < kChunks; ++c)
        hw_.store_global(row + c * kChunkBytes,
                         hw_.template pack<kElement>(out_[c][2 * half] * inverse, out_[c][2 * half + 1] * inverse));
    }
  }

  Hw& hw_;
  const AttentionProblem& p_;
  const Maps& maps_;
  unsigned base_;
  float out_[kChunks][4];
  float maximum_[2] = {-INFINITY, -INFINITY};
  float total_[2] = {0, 0};
};

}  // namespace fjord::kernels::cuda
