// Where things lie for Hopper's tensor cores (wgmma) and bulk copies (TMA).
// Source: PTX ISA 9.0, "Asynchronous warpgroup level matrix shared memory layout" and "cp.async.bulk.tensor".
#pragma once

#include "kernels/cuda/layout.h"

#include <cstdint>

namespace fjord::kernels::cuda {

constexpr int kWarpgroup = 128;

// A tile in shared memory is made of panels of 64 columns: rows of 128 bytes, whose eight chunks of 16 bytes are
// permuted by the row ("128-byte swizzle"). A panel begins at a multiple of 1024 bytes.
constexpr int kPanelColumns = 64;
constexpr int kPanelRowBytes = 128;
constexpr int kSwizzleBytes = 1024;  // eight rows, after which the permutation repeats

// Where the byte that would be at `address` without the permutation is.
FJORD_BOTH constexpr unsigned swizzled(unsigned address) { return address ^ (address >> 7 & 7U) << 4; }

// The matrix descriptor of a panel at `address`, from which a product reads 16 columns (rows are the other dimension of
// the matrix: queries, keys) or 16 rows (values). Bits 0-13 address, 16-29 the distance to the next panel along the
// columns (not used: a product stays within a panel), 32-45 that to the next eight rows, each / 16; 62-63 the 128-byte
// swizzle. Advancing by 16 columns adds 32 bytes to the address, by 16 rows 2048.
FJORD_BOTH constexpr std::uint64_t panel_descriptor(unsigned address) {
  constexpr std::uint64_t kNextRows = kSwizzleBytes >> 4, kSwizzle128 = 1;
  return static_cast<std::uint64_t>((address & 0x3ffffU) >> 4) | std::uint64_t{1} << 16 | kNextRows << 32 |
         kSwizzle128 << 62;
}

// Hopper's attention: 128 queries, 64 for each of two warpgroups that compute; a third one feeds them.
template <int kHeadDim>
struct HopperTile {
  static constexpr int kSteps = (kHeadDim + 15) / 16;
  static constexpr int kPanels = (kHeadDim + kPanelColumns - 1) / kPanelColumns;
  static constexpr int kConsumers = 2;
  static constexpr int kQueries = 64 * kConsumers;
  static constexpr int kKeys = kHeadDim <= 80 ? 128 : 64;
  static constexpr int kStages = 2;
  static constexpr int kThreads = kWarpgroup * (1 + kConsumers);
  static constexpr int kQueryPanelBytes = kQueries * kPanelRowBytes;
  static constexpr int kKeyPanelBytes = kKeys * kPanelRowBytes;
  static constexpr int kQueryBytes = kPanels * kQueryPanelBytes;
  static constexpr int kStageBytes = 2 * kPanels * kKeyPanelBytes;  // keys, then values
  static constexpr int kBarriers = 1 + 2 * kStages;                 // queries there; stage full, stage empty
  static constexpr int kSharedBytes = kQueryBytes + kStages * kStageBytes + 8 * kBarriers;
  static constexpr int kReservedBytes = kSharedBytes + kSwizzleBytes;  // so that a multiple of 1024 is among them
  FJORD_BOTH static constexpr int panel_columns(int panel) {
    return panel + 1 < kPanels ? kPanelColumns : kHeadDim - panel * kPanelColumns;
  }
};

}  // namespace fjord::kernels::cuda
