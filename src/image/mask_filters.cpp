#include "image/mask_filters.h"

#include "image/raster.h"

#include <algorithm>
#include <cmath>

namespace fjord {
namespace {

constexpr int kBoxes = 3;

// Replaces every row by f(row), then every column.
template <typename Line>
Raster by_lines(Raster raster, const Line& f) {
  std::vector<std::uint8_t> line(static_cast<size_t>(raster.width));
  for (int y = 0; y < raster.height; ++y) {
    std::copy_n(raster.at(0, y), raster.width, line.begin());
    line = f(line);
    std::copy(line.begin(), line.end(), raster.at(0, y));
  }
  line.resize(static_cast<size_t>(raster.height));
  for (int x = 0; x < raster.width; ++x) {
    for (int y = 0; y < raster.height; ++y) line[static_cast<size_t>(y)] = *raster.at(x, y);
    line = f(line);
    for (int y = 0; y < raster.height; ++y) *raster.at(x, y) = line[static_cast<size_t>(y)];
  }
  return raster;
}

using Bytes = std::vector<std::uint8_t>;

Bytes grown_line(const Bytes& in, int pixels) {
  const auto reach = static_cast<std::ptrdiff_t>(pixels), size = static_cast<std::ptrdiff_t>(in.size());
  Bytes out(in.size());
  for (std::ptrdiff_t i = 0; i < size; ++i) {
    const auto begin = in.begin() + std::max<std::ptrdiff_t>(i - reach, 0);
    const auto end = in.begin() + std::min(i + reach + 1, size);
    out[static_cast<size_t>(i)] = *std::max_element(begin, end);
  }
  return out;
}

// A box of 2 radius + 1 pixels; the fraction of the radius weighs the pixels at both ends. Weights in units of 2^-24.
struct BoxFilter {
  int radius = 0;
  std::uint32_t weight = 0;
  std::uint32_t end_weight = 0;
};

// Half the width of the boxes that together have the variance of the Gaussian; float32 as in the reference.
float box_radius(float deviation) {
  const float variance = deviation * deviation / kBoxes;
  const auto length = static_cast<float>(std::sqrt(12.0 * static_cast<double>(variance) + 1.0));
  const auto whole = static_cast<float>(std::floor((static_cast<double>(length) - 1.0) / 2.0));
  const float excess = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
  return whole + excess / (6 * (variance - (whole + 1) * (whole + 1)));
}

BoxFilter make_box(float radius) {
  constexpr std::uint32_t kOne = 1u << 24;
  BoxFilter box;
  box.radius = static_cast<int>(radius);
  box.weight = static_cast<std::uint32_t>(static_cast<float>(kOne) / (radius * 2 + 1));
  box.end_weight = (kOne - static_cast<std::uint32_t>(box.radius * 2 + 1) * box.weight) / 2;
  return box;
}

Bytes box_line(const Bytes& in, const BoxFilter& box) {
  const auto last = static_cast<int>(in.size()) - 1;
  const auto at = [&](int i) { return std::uint32_t{in[static_cast<size_t>(std::clamp(i, 0, last))]}; };
  Bytes out(in.size());
  std::uint32_t sum = 0;
  for (int i = -box.radius; i <= box.radius; ++i) sum += at(i);
  for (int i = 0; i <= last; ++i) {
    const auto ends = at(i - box.radius - 1) + at(i + box.radius + 1);
    out[static_cast<size_t>(i)] =
        static_cast<std::uint8_t>((sum * box.weight + ends * box.end_weight + (1u << 23)) >> 24);
    sum += at(i + box.radius + 1) - at(i - box.radius);
  }
  return out;
}

}  // namespace

Mask grown(const Mask& mask, int pixels) {
  return to_mask(by_lines(to_raster(mask), [pixels](const Bytes& line) { return grown_line(line, pixels); }));
}

Mask blurred(const Mask& mask, double radius) {
  if (radius <= 0) return mask;
  const auto box = make_box(box_radius(static_cast<float>(radius)));
  return to_mask(by_lines(to_raster(mask), [&box](const Bytes& line) {
    auto out = line;
    for (int i = 0; i < kBoxes; ++i) out = box_line(out, box);
    return out;
  }));
}

}  // namespace fjord
