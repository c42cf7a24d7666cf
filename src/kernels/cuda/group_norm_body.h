// Group normalisation of channels-last maps in three launches: sums of every channel over parts of the pixels, factor
// and term of every channel, and the pass that applies them (and SiLU). Sums are taken about the channel's first pixel,
// so that large means cost no digits, and joined by the formula of Chan, Golub and LeVeque (1979), always in the same
// order.
#pragma once

#include "kernels/cuda/reductions.h"

namespace fjord::kernels::cuda {

// Threads of a block over vectors of channels (a tile of at most 64) and pixels.
struct PixelShare {
  int width = 0;   // vectors of a tile
  int column = 0;  // this thread's vector
  int row = 0;     // its first pixel within the part
  int rows = 0;    // pixels that the block reads at once
  bool idle = false;

  static constexpr int kMaxWidth = 64;
  FJORD_BOTH static constexpr int tiles(int vectors) { return (vectors + kMaxWidth - 1) / kMaxWidth; }
  FJORD_BOTH static constexpr int width_of(int vectors) { return (vectors + tiles(vectors) - 1) / tiles(vectors); }
};

FJORD_BOTH PixelShare pixel_share(int thread, int tile, int vectors) {
  PixelShare share;
  share.width = PixelShare::width_of(vectors);
  share.column = tile * share.width + thread % share.width;
  share.row = thread / share.width;
  share.rows = GroupNormTile::kThreads / share.width;
  share.idle = share.row >= share.rows || share.column >= vectors;
  return share;
}

template <Element kElement, typename Hw>
class GroupNorm {
 public:
  // block_x: part of the pixels, block_y: image, block_z: tile of channels; `part` and `parts` as the launch counts.
  FJORD_DEVICE GroupNorm(Hw& hw, const GroupNormProblem& problem, int part, int parts)
      : hw_(hw), p_(problem), part_(part), parts_(parts) {}

  static constexpr int kSharedBytes = 2 * GroupNormTile::kThreads * 8 * static_cast<int>(sizeof(float));

  FJORD_DEVICE void sums() {
    const auto share = pixel_share(hw_.thread(), hw_.block_z(), vectors());
    float sum[kVector] = {}, square[kVector] = {};
    if (!share.idle) add_pixels(share, sum, square);
    FJORD_UNROLL
    for (int i = 0; i < kVector; ++i) {
      hw_.store_shared(slot(share, share.row, i, 0), sum[i]);
      hw_.store_shared(slot(share, share.row, i, 1), square[i]);
    }
    hw_.barrier();
    if (share.idle || share.row != 0) return;
    FJORD_UNROLL
    for (int i = 0; i < kVector; ++i) FJORD_UNROLL
    for (int which = 0; which < 2; ++which) {
      float total = 0;
      for (int row = 0; row < share.rows; ++row) total += hw_.template load_shared<float>(slot(share, row, i, which));
      hw_.store_global(partial(hw_.block_x(), share.column * kVector + i, which), total);
    }
  }

  // block_x: group, block_y: image.
  FJORD_DEVICE void factors() {
    const int width = p_.channels / p_.groups, first = hw_.block_x() * width;
    const float count = static_cast<float>(p_.pixels) * static_cast<float>(width);
    float sum = 0, squares = 0;
    for_pairs(first, width, [&](float pixels, float mean, float) { sum += pixels * mean; });
    const float mean = hw_.divide(reduce_block<Sum, GroupNormTile::kThreads>(hw_, sum), count);
    for_pairs(first, width, [&](float pixels, float own, float deviation) {
      squares += deviation + pixels * (own - mean) * (own - mean);
    });
    const float variance = hw_.divide(reduce_block<Sum, GroupNormTile::kThreads>(hw_, squares), count);
    const float inverse = hw_.reciprocal_root(fmaxf(variance, 0.0F) + p_.eps);
    for (int c = first + hw_.thread(); c < first + width; c += GroupNormTile::kThreads) {
      const float factor = load_element<kElement>(hw_, p_.weight, c) * inverse;
      hw_.store_global(partial(parts_, c, 0), factor);
      hw_.store_global(partial(parts_, c, 1), fmaf(-mean, factor, load_element<kElement>(hw_, p_.bias, c)));
    }
  }

  // Blocks as in sums().
  FJORD_DEVICE void apply() {
    const auto share = pixel_share(hw_.thread(), hw_.block_z(), vectors());
    if (share.idle) return;
    float factor[kVector], term[kVector];
    FJORD_UNROLL
    for (int i = 0; i < kVector; ++i) {
      factor[i] = hw_.template load_global<float>(partial(parts_, share.column * kVector + i, 0));
      term[i] = hw_.template load_global<float>(partial(parts_, share.column * kVector + i, 1));
    }
    for (int pixel = first_pixel() + share.row; pixel < end_pixel(hw_.block_x()); pixel += share.rows) {
      float x[kVector];
      const Index at = vector_of(pixel, share.column);
      load_vector<kElement>(hw_, p_.x, at, x);
      FJORD_UNROLL
      for (int i = 0; i < kVector; ++i) {
        x[i] = fmaf(x[i], factor[i], term[i]);
        if (p_.silu) x[i] = hw_.divide(x[i], 1.0F + hw_.exp2(-1.4426950408889634F * x[i]));
      }
      hw_.store_global(vector_at(p_.out, at), pack<kElement>(hw_, x));
    }
  }

 private:
  static constexpr int kVector = ElementTraits<kElement>::kVector;

  FJORD_DEVICE int vectors() const { return p_.channels / kVector; }
  FJORD_DEVICE int first_pixel() const { return hw_.block_x() * part_; }
  FJORD_DEVICE int end_pixel(int part) const {
    const int end = (part + 1) * part_;
    return end < p_.pixels ? end : p_.pixels;
  }
  FJORD_DEVICE Index vector_of(int pixel, int column) const {
    return (static_cast<Index>(hw_.block_y()) * p_.pixels + pixel) * vectors() + column;
  }
  FJORD_DEVICE unsigned slot(const PixelShare& share, int row, int i, int which) const {
    // Threads that are left over at the end of a block have rows of their own, which nobody reads.
    const int thread = row * share.width + hw_.thread() % share.width;
    return static_cast<unsigned>(((which * kVector + i) * GroupNormTile::kThreads + thread) *
                                 static_cast<int>(sizeof(float)));
  }
  // Sum (which 0) or sum of squares (1) of a channel in a part; behind the last part factor and term.
  FJORD_DEVICE float* partial(int part, int channel, int which) const {
    const Index row = (static_cast<Index>(hw_.block_y()) * (parts_ + 1) + part) * 2 + which;
    return static_cast<float*>(p_.workspace) + row * p_.channels + channel;
  }

  FJORD_DEVICE void add_pixels(const PixelShare& share, float (&sum)[kVector], float (&square)[kVector]) {
    float about[kVector];
    load_vector<kElement>(hw_, p_.x, vector_of(0, share.column), about);
    for (int pixel = first_pixel() + share.row; pixel < end_pixel(hw_.block_x()); pixel += share.rows) {
      float x[kVector];
      load_vector<kElement>(hw_, p_.x, vector_of(pixel, share.column), x);
      FJORD_UNROLL
      for (int i = 0; i < kVector; ++i) {
        const float difference = x[i] - about[i];
        sum[i] += difference;
        square[i] = fmaf(difference, difference, square[i]);
      }
    }
  }

  // f(pixels, mean, sum of squared deviations from it) for this thread's pairs of a part and a channel of the group.
  template <typename F>
  FJORD_DEVICE void for_pairs(int first, int width, F f) {
    for (int i = hw_.thread(); i < parts_ * width; i += GroupNormTile::kThreads) {
      const int part = i / width, channel = first + i % width;
      const float pixels = static_cast<float>(end_pixel(part) - part * part_);
      const float sum = hw_.template load_global<float>(partial(part, channel, 0));
      const float square = hw_.template load_global<float>(partial(part, channel, 1));
      const Index first_element = static_cast<Index>(hw_.block_y()) * p_.pixels * p_.channels + channel;
      const float own = hw_.divide(sum, pixels);
      f(pixels, load_element<kElement>(hw_, p_.x, first_element) + own, square - sum * own);
    }
  }

  Hw& hw_;
  const GroupNormProblem& p_;
  int part_, parts_;
};

}  // namespace fjord::kernels::cuda
