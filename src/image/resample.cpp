// Two passes, one along the rows and one along the columns. Where a picture shrinks the filter is widened, so that it
// sees every pixel. Weights are whole numbers of 2^-22, and the result of each pass is rounded to bytes.
#include "image/resample.h"

#include "image/raster.h"

#include <algorithm>
#include <cmath>

namespace fjord {
namespace {

constexpr int kWeightBits = 22;

double sinc(double x) { return x == 0 ? 1 : std::sin(M_PI * x) / (M_PI * x); }

double lanczos(double x) { return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0; }

double bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * kA : 0;
}

double weight_at(Filter filter, double x) { return filter == Filter::kLanczos ? lanczos(x) : bicubic(x); }

double reach(Filter filter) { return filter == Filter::kLanczos ? 3 : 2; }

// What one pixel of the result is made of: pixels first, first + 1, ... of the source.
struct Taps {
  int first = 0;
  std::vector<int> weights;
};

// One line of a pass: `size` pixels of the source, of which the part begin .. end becomes `count` pixels.
struct Line {
  int size = 0;
  double begin = 0.0;
  double end = 0.0;
  int count = 0;
};

Taps taps_of(Filter filter, const Line& line, int index) {
  const double scale = (line.end - line.begin) / line.count;
  const double width = std::max(scale, 1.0);
  const double center = line.begin + (index + 0.5) * scale;
  const int first = std::max(static_cast<int>(center - reach(filter) * width + 0.5), 0);
  const int end = std::min(static_cast<int>(center + reach(filter) * width + 0.5), line.size);
  std::vector<double> weights;
  double sum = 0.0;
  for (int i = first; i < end; ++i) {
    weights.push_back(weight_at(filter, (i - center + 0.5) * (1.0 / width)));
    sum += weights.back();
  }
  Taps taps{first, {}};
  for (const double weight : weights) {
    const double scaled = (sum == 0 ? weight : weight / sum) * (1 << kWeightBits);
    taps.weights.push_back(static_cast<int>(scaled + (scaled < 0 ? -0.5 : 0.5)));
  }
  return taps;
}

std::vector<Taps> all_taps(Filter filter, const Line& line) {
  std::vector<Taps> taps;
  for (int i = 0; i < line.count; ++i) taps.push_back(taps_of(filter, line, i));
  return taps;
}

// `stride` lies between two pixels of the sum.
std::uint8_t weighted(const Taps& taps, const std::uint8_t* from, size_t stride) {
  int sum = 1 << (kWeightBits - 1);
  from += static_cast<size_t>(taps.first) * stride;
  for (const int weight : taps.weights) {
    sum += *from * weight;
    from += stride;
  }
  return static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

Raster along_rows(const Raster& in, const std::vector<Taps>& taps) {
  Raster out(static_cast<int>(taps.size()), in.height, in.channels);
  for (int y = 0; y < in.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      for (int c = 0; c < in.channels; ++c) {
        *out.at(x, y, c) = weighted(taps[static_cast<size_t>(x)], in.at(0, y, c), static_cast<size_t>(in.channels));
      }
    }
  }
  return out;
}

Raster along_columns(const Raster& in, const std::vector<Taps>& taps) {
  Raster out(in.width, static_cast<int>(taps.size()), in.channels);
  const auto row = static_cast<size_t>(in.width) * static_cast<size_t>(in.channels);
  for (int y = 0; y < out.height; ++y) {
    for (size_t i = 0; i < row; ++i) out.at(0, y)[i] = weighted(taps[static_cast<size_t>(y)], in.at(0, 0) + i, row);
  }
  return out;
}

// Which pass comes first decides how bytes are rounded. Columns do where they lose more than twice as many pixels as
// rows: the choice of Pillow 13.
bool columns_come_first(const Raster& raster, int width, int height) {
  return height < raster.height && raster.height - height > 2 * (raster.width - width);
}

Raster resampled(Raster raster, int width, int height, Filter filter, const Box& box) {
  const Line row{raster.width, box.left, box.right, width}, column{raster.height, box.top, box.bottom, height};
  const auto is_same = [](const Line& line) {
    return line.count == line.size && line.begin == 0 && line.end == line.size;
  };
  const bool columns_first = columns_come_first(raster, width, height);
  if (columns_first && !is_same(column)) raster = along_columns(raster, all_taps(filter, column));
  if (!is_same(row)) raster = along_rows(raster, all_taps(filter, row));
  if (!columns_first && !is_same(column)) raster = along_columns(raster, all_taps(filter, column));
  return raster;
}

template <typename Picture>
Box whole(const Picture& picture) {
  return {0, 0, static_cast<double>(picture.width), static_cast<double>(picture.height)};
}

}  // namespace

Image resize(const Image& image, int width, int height, Filter filter, const Box& box) {
  return to_image(resampled(to_raster(image), width, height, filter, box));
}
Mask resize(const Mask& mask, int width, int height, Filter filter, const Box& box) {
  return to_mask(resampled(to_raster(mask), width, height, filter, box));
}
Image resize(const Image& image, int width, int height, Filter filter) {
  return resize(image, width, height, filter, whole(image));
}
Mask resize(const Mask& mask, int width, int height, Filter filter) {
  return resize(mask, width, height, filter, whole(mask));
}

}  // namespace fjord
