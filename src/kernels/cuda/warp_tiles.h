// What the attention kernels share: reading rows of a head into shared memory, products of a warp's 16-row tiles with
// keys and values in shared memory, and the pieces of the softmax.
#pragma once

#include "kernels/cuda/layout.h"

#include <math.h>  // fmaxf and its like, which nvcc and the host both have

namespace fjord::kernels::cuda {

// The rows of one batch and head of a tensor.
struct HeadTokens {
  const char* data = nullptr;
  Index row_bytes = 0;
  int rows = 0;
};

FJORD_BOTH HeadTokens head_tokens(const AttentionProblem::Tokens& tokens, int batch, int head, int rows) {
  return {static_cast<const char*>(tokens.data) + 2 * (batch * tokens.batch_stride + head * tokens.head_stride),
          2 * tokens.token_stride, rows};
}

// Work split among the threads of a block or the lanes of a warp.
struct Share {
  int index = 0;
  int count = 1;
};

// Starts copying the rows [first, first + kRows) of a head to `offset`; rows past the last become zeros.
template <int kHeadDim, int kRows, typename Hw>
FJORD_DEVICE void copy_rows(Hw& hw, unsigned offset, const HeadTokens& tokens, int first, Share share) {
  using Row = HeadRow<kHeadDim>;
  for (int i = share.index; i < kRows * Row::kChunks; i += share.count) {
    const int row = i / Row::kChunks, chunk = i % Row::kChunks;
    const bool exists = first + row < tokens.rows;
    const char* source = tokens.data + (exists ? (first + row) * tokens.row_bytes + chunk * kChunkBytes : 0);
    hw.copy_to_shared(offset + static_cast<unsigned>(row * Row::kBytes + chunk * kChunkBytes), source, exists);
  }
}

// The chunk of zeros behind the channels of `rows` rows, if the head's size needs one. No copy touches it.
template <int kHeadDim, typename Hw>
FJORD_DEVICE void clear_padding(Hw& hw, unsigned offset, int rows, Share share) {
  using Row = HeadRow<kHeadDim>;
  if constexpr (Row::kPadded) {
    for (int row = share.index; row < rows; row += share.count)
      hw.store_shared(offset + static_cast<unsigned>(row * Row::kBytes + Row::kChunks * kChunkBytes), Vector{});
  }
}

// The chunk of shared memory that a lane names to ldmatrix: row (lane % 8) of its 8x8 block of a tile.
template <int kHeadDim>
FJORD_BOTH constexpr unsigned matrix_row(Position block, int lane) {
  return static_cast<unsigned>((block.row * 8 + lane % 8) * HeadRow<kHeadDim>::kBytes + block.column * kChunkBytes);
}

// 16 rows of queries as fragments of A.
template <int kHeadDim, typename Hw>
FJORD_DEVICE void load_queries(Hw& hw, unsigned offset, std::uint32_t (&q)[HeadRow<kHeadDim>::kSteps][4]) {
  const unsigned row = offset + matrix_row<kHeadDim>(a_block(hw.lane() / 8), hw.lane());
  FJORD_UNROLL
  for (int step = 0; step < HeadRow<kHeadDim>::kSteps; ++step)
    hw.load_matrices(q[step], row + static_cast<unsigned>(2 * step * kChunkBytes));
}

// scores = q k^T for kRowTiles tiles of 16 queries and kKeyTiles tiles of 8 keys, which is even.
template <Element kElement, int kHeadDim, int kRowTiles, int kKeyTiles, typename Hw>
FJORD_DEVICE void multiply_keys(Hw& hw, unsigned keys,
                                const std::uint32_t (&q)[kRowTiles][HeadRow<kHeadDim>::kSteps][4],
                                float (&scores)[kRowTiles][kKeyTiles][4]) {
  using Row = HeadRow<kHeadDim>;
  static_assert(kKeyTiles % 2 == 0);
  const unsigned row = keys + matrix_row<kHeadDim>(b_block(hw.lane() / 8), hw.lane());
  FJORD_UNROLL
  for (int r = 0; r < kRowTiles; ++r) FJORD_UNROLL
  for (int n = 0; n < kKeyTiles; ++n) FJORD_UNROLL
  for (int i = 0; i < 4; ++i) scores[r][n][i] = 0;
  FJORD_UNROLL
  for (int step = 0; step < Row::kSteps; ++step) {
    FJORD_UNROLL
    for (int n = 0; n < kKeyTiles; n += 2) {
      std::uint32_t k[4];
      hw.load_matrices(k, row + static_cast<unsigned>(n * 8 * Row::kBytes + 2 * step * kChunkBytes));
      FJORD_UNROLL
      for (int r = 0; r < kRowTiles; ++r) {
        hw.template multiply_add<kElement>(scores[r][n], q[r][step], k[0], k[1]);
        hw.template multiply_add<kElement>(scores[r][n + 1], q[r][step], k[2], k[3]);
      }
    }
  }
}

// out += p v, where the probabilities p lie as multiply_keys leaves scores. kKeyTiles is even.
template <Element kElement, int kHeadDim, int kRowTiles, int kKeyTiles, typename Hw>
FJORD_DEVICE void multiply_values(Hw& hw, unsigned values, const float (&p)[kRowTiles][kKeyTiles][4],
                                  float (&out)[kRowTiles][HeadRow<kHeadDim>::kChunks][4]) {
  using Row = HeadRow<kHeadDim>;
  const unsigned row = values + matrix_row<kHeadDim>(b_block_transposed(hw.lane() / 8), hw.lane());
  FJORD_UNROLL
  for (int step = 0; step < kKeyTiles / 2; ++step) {
    // Two neighbouring tiles of C, rounded, are one fragment of A: c_position and a_position agree on it.
    std::uint32_t a[kRowTiles][4];
    FJORD_UNROLL
    for (int r = 0; r < kRowTiles; ++r) FJORD_UNROLL
    for (int i = 0; i < 4; ++i) {
      const float* pair = p[r][2 * step + i / 2] + 2 * (i % 2);
      a[r][i] = hw.template pack<kElement>(pair[0], pair[1]);
    }
    const unsigned rows = row + static_cast<unsigned>(step * 16 * Row::kBytes);
    FJORD_UNROLL
    for (int c = 0; c + 1 < Row::kChunks; c += 2) {
      std::uint32_t v[4];
      hw.load_matrices_transposed(v, rows + static_cast<unsigned>(c * kChunkBytes));
      FJORD_UNROLL
      for (int r = 0; r < kRowTiles; ++r) {
        hw.template multiply_add<kElement>(out[r][c], a[r], v[0], v[1]);
        hw.template multiply_add<kElement>(out[r][c + 1], a[r], v[2], v[3]);
      }
    }
    if constexpr (Row::kChunks % 2 == 1) {
      constexpr int kLast = Row::kChunks - 1;
      std::uint32_t v[2];
      hw.load_matrices_transposed(v, rows + static_cast<unsigned>(kLast * kChunkBytes));
      FJORD_UNROLL
      for (int r = 0; r < kRowTiles; ++r) hw.template multiply_add<kElement>(out[r][kLast], a[r], v[0], v[1]);
    }
  }
}

// Scores of keys that do not exist become -infinity. `first`: the first key of the tile.
template <int kKeyTiles, typename Hw>
FJORD_DEVICE void hide_missing_keys(const Hw& hw, float (&scores)[kKeyTiles][4], int first, int keys) {
  FJORD_UNROLL
  for (int n = 0; n < kKeyTiles; ++n) FJORD_UNROLL
  for (int i = 0; i < 4; ++i)
    if (first + 8 * n + c_position(hw.lane(), i).column >= keys) scores[n][i] = -INFINITY;
}

// Of the four lanes that share a row.
template <typename Hw>
FJORD_DEVICE float row_maximum(Hw& hw, float x) {
  x = fmaxf(x, hw.shuffle_xor(x, 1));
  return fmaxf(x, hw.shuffle_xor(x, 2));
}
template <typename Hw>
FJORD_DEVICE float row_sum(Hw& hw, float x) {
  x += hw.shuffle_xor(x, 1);
  return x + hw.shuffle_xor(x, 2);
}

// The larger of `so_far` and the scores of a lane's row (`half` 0: row lane / 4, 1: eight further).
template <int kKeyTiles>
FJORD_DEVICE float maximum_of(const float (&scores)[kKeyTiles][4], int half, float so_far) {
  FJORD_UNROLL
  for (int n = 0; n < kKeyTiles; ++n) so_far = fmaxf(so_far, fmaxf(scores[n][2 * half], scores[n][2 * half + 1]));
  return so_far;
}

// scores -> 2^(factor * score - shift); gives the sum of a lane's part.
template <int kKeyTiles, typename Hw>
FJORD_DEVICE float exponentiate(Hw& hw, float (&scores)[kKeyTiles][4], int half, float factor, float shift) {
  float sum = 0;
  FJORD_UNROLL
  for (int n = 0; n < kKeyTiles; ++n) FJORD_UNROLL
  for (int i = 2 * half; i < 2 * half + 2; ++i) {
    scores[n][i] = hw.exp2(fmaf(scores[n][i], factor, -shift));
    sum += scores[n][i];
  }
  return sum;
}

// A warp's 16 rows of results, divided by their sums, to shared memory at `offset` as rows of a head.
template <Element kElement, int kHeadDim, typename Hw>
FJORD_DEVICE void stage_results(Hw& hw, unsigned offset, const float (&out)[HeadRow<kHeadDim>::kChunks][4],
                                const float (&total)[2]) {
  FJORD_UNROLL
  for (int half = 0; half < 2; ++half) {
    const float inverse = hw.divide(1.0F, total[half]);
    const auto at = c_position(hw.lane(), 2 * half);
    FJORD_UNROLL
    for (int c = 0; c < HeadRow<kHeadDim>::kChunks; ++c) {
      hw.store_shared(
          offset + static_cast<unsigned>(at.row * HeadRow<kHeadDim>::kBytes + c * kChunkBytes + 2 * at.column),
          hw.template pack<kElement>(out[c][2 * half] * inverse, out[c][2 * half + 1] * inverse));
    }
  }
}

// Rows of results from shared memory to [first, first + rows) of the output, as far as these exist.
template <int kHeadDim, typename Hw>
FJORD_DEVICE void write_rows(Hw& hw, unsigned offset, const AttentionProblem& p, int batch, int head, int first,
                             int rows) {
  using Row = HeadRow<kHeadDim>;
  auto* const out = static_cast<char*>(p.out) + 2 * (batch * p.out_batch_stride + head * p.out_head_stride);
  for (int i = hw.lane(); i < rows * Row::kChunks; i += kWarp) {
    const int row = i / Row::kChunks, chunk = i % Row::kChunks;
    if (first + row < p.queries)
      hw.store_global(
          out + 2 * (first + row) * p.out_token_stride + chunk * kChunkBytes,
          hw.template load_shared<Vector>(offset + static_cast<unsigned>(row * Row::kBytes + chunk * kChunkBytes)));
  }
}

}  // namespace fjord::kernels::cuda
