#include "image/seams.h"

#include "image/mask_filters.h"

#include <algorithm>
#include <cmath>

namespace fjord {
namespace {

constexpr int kRing = 32;

struct Moments {
  double mean = 0.0;
  double deviation = 0.0;
};

// Of one channel over the chosen pixels.
Moments moments(const Image& image, size_t channel, const std::vector<size_t>& chosen) {
  double sum = 0.0, squares = 0.0;
  for (const auto i : chosen) {
    const double value = image.pixels[i * 3 + channel];
    sum += value;
    squares += value * value;
  }
  const auto count = static_cast<double>(chosen.size());
  const double mean = sum / count;
  return {mean, std::sqrt(std::max(squares / count - mean * mean, 0.0))};
}

std::vector<size_t> ring_of(const Mask& mask) {
  const auto near = grown(mask, kRing);
  std::vector<size_t> ring;
  for (size_t i = 0; i < mask.values.size(); ++i) {
    if (mask.values[i] == 0 && near.values[i] != 0) ring.push_back(i);
  }
  return ring;
}

int divided_by_255(int value) { return ((value + 128) + ((value + 128) >> 8)) >> 8; }  // rounded

// A layer of `over` with the opacity `alpha` over `under`. The layer is kept with its colours multiplied by the
// opacity, in bytes, and divided by it again, which costs it some levels where it is thin.
std::uint8_t composed(int over, int under, int alpha) {
  if (alpha == 0) return static_cast<std::uint8_t>(under);
  const int layer = std::min(255 * divided_by_255(over * alpha) / alpha, 255);
  constexpr int kBits = 7;
  const int sum = (layer * alpha + under * (255 - alpha)) * (1 << kBits) + (128 << kBits);
  return static_cast<std::uint8_t>(((sum >> 8) + sum) >> 8 >> kBits);
}

}  // namespace

Image laid_over(const Image& painted, const Image& original, const Mask& mask) {
  Image out = original;
  for (size_t i = 0; i < out.pixels.size(); ++i) {
    out.pixels[i] = composed(original.pixels[i], painted.pixels[i], 255 - mask.values[i / 3]);
  }
  return out;
}

Image colors_matched(const Image& painted, const Image& original, const Mask& mask) {
  const auto ring = ring_of(mask);
  if (ring.empty()) return painted;
  Image out = painted;
  for (size_t channel = 0; channel < 3; ++channel) {
    const auto from = moments(painted, channel, ring), to = moments(original, channel, ring);
    const double gain = from.deviation > 0 ? to.deviation / from.deviation : 1.0;
    for (size_t i = channel; i < out.pixels.size(); i += 3) {
      const double value = (painted.pixels[i] - from.mean) * gain + to.mean;
      out.pixels[i] = static_cast<std::uint8_t>(std::clamp(std::round(value), 0.0, 255.0));
    }
  }
  return out;
}

}  // namespace fjord
