#include "image/fitting.h"

#include "image/raster.h"
#include "image/resample.h"

#include <algorithm>

namespace fjord {
namespace {

// From `begin` to `end` (not included), within 0 .. limit.
struct Span {
  int begin = 0;
  int end = 0;
  int length() const { return end - begin; }
};

// Longer by `excess`, half of it on each side; moved, then cut, into the limits.
Span lengthened(Span span, int excess, int limit) {
  span.begin -= excess / 2;
  span.end += excess - excess / 2;
  if (span.end >= limit) {
    span.begin -= span.end - limit;
    span.end = limit;
  }
  if (span.begin < 0) {
    span.end -= span.begin;
    span.begin = 0;
  }
  span.end = std::min(span.end, limit);
  return span;
}

// `length` pixels about the middle of the span, moved into the limits where they are wide enough.
Span widened(Span span, int length, int limit) {
  const int begin = span.begin - (length - span.length()) / 2;
  const int spare = limit - length;
  span.begin = spare >= 0 ? std::clamp(begin, 0, spare) : spare / 2;
  span.end = span.begin + length;
  return span;
}

int rounded_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

Region to_region(const Span& across, const Span& down) {
  return {across.begin, down.begin, across.length(), down.length()};
}

struct Spans {
  Span across;
  Span down;
};

Spans padded_spans(const Mask& mask, int padding) {
  const auto painted = painted_region(mask);
  return {{std::max(painted.left - padding, 0), std::min(painted.left + painted.width + padding, mask.width)},
          {std::max(painted.top - padding, 0), std::min(painted.top + painted.height + padding, mask.height)}};
}

Raster cut_raster(const Raster& in, const Region& region) {
  Raster out(region.width, region.height, in.channels);
  for (int y = 0; y < region.height; ++y) {
    const int from_y = std::clamp(region.top + y, 0, in.height - 1);
    for (int x = 0; x < region.width; ++x) {
      std::copy_n(in.at(std::clamp(region.left + x, 0, in.width - 1), from_y), in.channels, out.at(x, y));
    }
  }
  return out;
}

// What lies outside of `canvas` is left away.
void paste(Raster& canvas, const Raster& picture, int left, int top) {
  const int first = std::max(-left, 0), end = std::min(picture.width, canvas.width - left);
  if (first >= end) return;
  for (int y = std::max(-top, 0); y < std::min(picture.height, canvas.height - top); ++y) {
    std::copy_n(picture.at(first, y), (end - first) * canvas.channels, canvas.at(left + first, top + y));
  }
}

template <typename Picture>
bool is_flatter(const Picture& picture, int width, int height) {  // than width : height
  return static_cast<double>(width) / height < static_cast<double>(picture.width) / picture.height;
}

template <typename Picture>
Raster filled(const Picture& picture, int width, int height) {
  const bool flatter = is_flatter(picture, width, height);
  const int inner_width = flatter ? width : std::max(1, picture.width * height / picture.height);
  const int inner_height = flatter ? std::max(1, picture.height * width / picture.width) : height;
  const auto inner = resize(picture, inner_width, inner_height);
  Raster out(width, height, to_raster(picture).channels);
  const int left = width / 2 - inner_width / 2, top = height / 2 - inner_height / 2;
  paste(out, to_raster(inner), left, top);
  // The smears are made of boxes without extent: of the pixels beside the border.
  const double w = inner_width, h = inner_height;
  if (flatter && top > 0) {
    paste(out, to_raster(resize(inner, width, top, Filter::kBicubic, {0, 0, w, 0})), 0, 0);
    paste(out, to_raster(resize(inner, width, top, Filter::kBicubic, {0, h, w, h})), 0, top + inner_height);
  }
  if (!flatter && left > 0) {
    paste(out, to_raster(resize(inner, left, height, Filter::kBicubic, {0, 0, 0, h})), 0, 0);
    paste(out, to_raster(resize(inner, left, height, Filter::kBicubic, {w, 0, w, h})), left + inner_width, 0);
  }
  return out;
}

template <typename Picture>
Raster cropped(const Picture& picture, int width, int height) {
  const bool flatter = is_flatter(picture, width, height);
  const int outer_width = flatter ? picture.width * height / picture.height : width;
  const int outer_height = flatter ? height : picture.height * width / picture.width;
  Raster out(width, height, to_raster(picture).channels);
  paste(out, to_raster(resize(picture, outer_width, outer_height)), width / 2 - outer_width / 2,
        height / 2 - outer_height / 2);
  return out;
}

}  // namespace

Region painted_region(const Mask& mask) {
  Span across{mask.width, 0}, down{mask.height, 0};
  for (int y = 0; y < mask.height; ++y) {
    const auto* row = mask.values.data() + static_cast<size_t>(y) * static_cast<size_t>(mask.width);
    for (int x = 0; x < mask.width; ++x) {
      if (row[x] == 0) continue;
      across = {std::min(across.begin, x), std::max(across.end, x + 1)};
      down = {std::min(down.begin, y), y + 1};
    }
  }
  return across.end == 0 ? Region{} : to_region(across, down);
}

Region fitted_region(const Mask& mask, int width, int height, int padding) {
  auto [across, down] = padded_spans(mask, padding);
  const double shape = static_cast<double>(width) / height;
  if (static_cast<double>(across.length()) / down.length() > shape) {
    down = lengthened(down, static_cast<int>(across.length() / shape - down.length()), mask.height);
  } else {
    across = lengthened(across, static_cast<int>(down.length() * shape - across.length()), mask.width);
  }
  return to_region(across, down);
}

Region native_region(const Mask& mask, int width, int height, int padding, int multiple) {
  const auto [across, down] = padded_spans(mask, padding);
  return to_region(widened(across, rounded_up(std::max(across.length(), width), multiple), mask.width),
                   widened(down, rounded_up(std::max(down.length(), height), multiple), mask.height));
}

Image cut(const Image& image, const Region& region) { return to_image(cut_raster(to_raster(image), region)); }
Mask cut(const Mask& mask, const Region& region) { return to_mask(cut_raster(to_raster(mask), region)); }

Image resized_to_fill(const Image& image, int width, int height) { return to_image(filled(image, width, height)); }
Mask resized_to_fill(const Mask& mask, int width, int height) { return to_mask(filled(mask, width, height)); }
Image resized_to_crop(const Image& image, int width, int height) { return to_image(cropped(image, width, height)); }
Mask resized_to_crop(const Mask& mask, int width, int height) { return to_mask(cropped(mask, width, height)); }

}  // namespace fjord
