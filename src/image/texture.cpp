// Pictures as games want them. The constants of sRGB are those of IEC 61966-2-1.
#include <fjord/texture.h>

#include "core/check.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fjord {
namespace {

void check_sizes(int width, int height, int channels, size_t values) {
  const bool good = width > 0 && height > 0 &&
                    values == static_cast<size_t>(width) * static_cast<size_t>(height) * static_cast<size_t>(channels);
  check(good, ErrorCode::kInvalidArgument, "an image of ", width, "x", height, " with ", channels,
        " channels needs width * height * channels values, got ", values);
}

void check_image(const Image& image) { check_sizes(image.width, image.height, 3, image.pixels.size()); }

template <typename Picture>
const std::uint8_t* pixel(const Picture& image, int x, int y, int channels) {
  return image.pixels.data() + static_cast<size_t>(y * image.width + x) * static_cast<size_t>(channels);
}

// 0 to 255, Rec. 601.
double luma(const std::uint8_t* rgb) { return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]; }

double to_linear(std::uint8_t value) {
  const double s = value / 255.0;
  return s <= 0.04045 ? s / 12.92 : std::pow((s + 0.055) / 1.055, 2.4);
}

std::uint8_t to_byte(double value) { return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 1.0) * 255)); }

std::uint8_t from_linear(double light) {
  return to_byte(light <= 0.0031308 ? light * 12.92 : 1.055 * std::pow(light, 1 / 2.4) - 0.055);
}

// Four floats a pixel: linear light times alpha, and alpha.
struct LightImage {
  int width = 0;
  int height = 0;
  std::vector<float> values;
};

LightImage to_light(const RgbaImage& image) {
  std::array<float, 256> table;
  for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(to_linear(static_cast<std::uint8_t>(i)));
  LightImage out{image.width, image.height, std::vector<float>(image.pixels.size())};
  for (size_t i = 0; i < image.pixels.size(); i += 4) {
    const float alpha = static_cast<float>(image.pixels[i + 3]) / 255.0F;
    for (size_t c = 0; c < 3; ++c) out.values[i + c] = table[image.pixels[i + c]] * alpha;
    out.values[i + 3] = alpha;
  }
  return out;
}

RgbaImage from_light(const LightImage& light) {
  RgbaImage out{light.width, light.height, std::vector<std::uint8_t>(light.values.size())};
  for (size_t i = 0; i < light.values.size(); i += 4) {
    const double alpha = light.values[i + 3];
    for (size_t c = 0; c < 3; ++c) out.pixels[i + c] = alpha > 0 ? from_linear(light.values[i + c] / alpha) : 0;
    out.pixels[i + 3] = to_byte(alpha);
  }
  return out;
}

// Output pixel i of n covers the input pixels from i * N / n up to (i + 1) * N / n.
LightImage halved(const LightImage& in) {
  LightImage out{std::max(1, in.width / 2), std::max(1, in.height / 2), {}};
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      const int left = x * in.width / out.width, right = (x + 1) * in.width / out.width;
      const int top = y * in.height / out.height, bottom = (y + 1) * in.height / out.height;
      std::array<float, 4> sum{};
      for (int v = top; v < bottom; ++v) {
        for (int u = left; u < right; ++u) {
          for (size_t c = 0; c < 4; ++c) sum[c] += in.values[static_cast<size_t>(v * in.width + u) * 4 + c];
        }
      }
      const auto count = static_cast<float>((right - left) * (bottom - top));
      for (const float value : sum) out.values.push_back(value / count);
    }
  }
  return out;
}

// Heights from 0 to 1, beyond the edges those across (wrap) or the nearest.
class Heights {
 public:
  Heights(const Image& image, bool wrap) : image_(image), wrap_(wrap) {}
  double at(int x, int y) const {
    return luma(pixel(image_, inside(x, image_.width), inside(y, image_.height), 3)) / 255.0;
  }

 private:
  int inside(int i, int size) const { return wrap_ ? (i + size) % size : std::clamp(i, 0, size - 1); }

  const Image& image_;
  bool wrap_;
};

template <typename Picture>
FloatImage floats_of(const Picture& image, int channels) {
  check_sizes(image.width, image.height, channels, image.pixels.size());
  FloatImage out{image.width, image.height, channels, {}};
  out.pixels.reserve(image.pixels.size());
  for (const auto value : image.pixels) out.pixels.push_back(static_cast<float>(value) / 255.0F);
  return out;
}

double difference(const std::uint8_t* a, const std::uint8_t* b) {
  return std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2]);
}

}  // namespace

RgbaImage to_rgba(const Image& image, std::uint8_t alpha) {
  check_image(image);
  RgbaImage out{image.width, image.height, {}};
  out.pixels.reserve(image.pixels.size() / 3 * 4);
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    out.pixels.insert(out.pixels.end(), {image.pixels[i], image.pixels[i + 1], image.pixels[i + 2], alpha});
  }
  return out;
}

RgbaImage with_alpha(const Image& image, const Image& mask) {
  check_image(mask);
  Mask alpha{mask.width, mask.height, {}};
  for (size_t i = 0; i < mask.pixels.size(); i += 3) {
    alpha.values.push_back(static_cast<std::uint8_t>(std::lround(luma(mask.pixels.data() + i))));
  }
  return with_alpha(image, alpha);
}

RgbaImage with_alpha(const Image& image, const Mask& mask) {
  check_sizes(mask.width, mask.height, 1, mask.values.size());
  check(image.width == mask.width && image.height == mask.height, ErrorCode::kInvalidArgument,
        "the mask must have the image's size, ", image.width, "x", image.height, ", got ", mask.width, "x",
        mask.height);
  auto out = to_rgba(image);
  for (size_t i = 0; i < mask.values.size(); ++i) out.pixels[i * 4 + 3] = mask.values[i];
  return out;
}

FloatImage to_float(const Image& image) { return floats_of(image, 3); }
FloatImage to_float(const RgbaImage& image) { return floats_of(image, 4); }

std::vector<RgbaImage> mip_chain(const RgbaImage& image) {
  check_sizes(image.width, image.height, 4, image.pixels.size());
  std::vector<RgbaImage> levels{image};
  auto light = to_light(image);
  while (light.width > 1 || light.height > 1) {
    light = halved(light);
    levels.push_back(from_light(light));
  }
  return levels;
}

Image normal_map(const Image& height, const NormalMapOptions& options) {
  check_image(height);
  check(options.strength > 0 && options.strength <= 100, ErrorCode::kInvalidArgument,
        "strength must be above 0 and at most 100, got ", options.strength);
  const Heights h(height, options.wrap);
  Image out{height.width, height.height, {}};
  out.pixels.reserve(height.pixels.size());
  const double scale = options.strength * 10 / 8;  // Sobel's weights sum to 8 a pixel of distance
  for (int y = 0; y < height.height; ++y) {
    for (int x = 0; x < height.width; ++x) {
      const double right = h.at(x + 1, y - 1) + 2 * h.at(x + 1, y) + h.at(x + 1, y + 1);
      const double left = h.at(x - 1, y - 1) + 2 * h.at(x - 1, y) + h.at(x - 1, y + 1);
      const double below = h.at(x - 1, y + 1) + 2 * h.at(x, y + 1) + h.at(x + 1, y + 1);
      const double above = h.at(x - 1, y - 1) + 2 * h.at(x, y - 1) + h.at(x + 1, y - 1);
      // The normal leans away from where the height grows; rows run downwards.
      const double nx = (left - right) * scale;
      const double ny = (options.y_points_up ? below - above : above - below) * scale;
      const double length = std::sqrt(nx * nx + ny * ny + 1);
      for (const double n : {nx, ny, 1.0}) out.pixels.push_back(to_byte(n / length * 0.5 + 0.5));
    }
  }
  return out;
}

double seam_visibility(const Image& image) {
  check_image(image);
  check(image.width > 1 && image.height > 1, ErrorCode::kInvalidArgument, "a texture needs two rows and columns, got ",
        image.width, "x", image.height);
  double across = 0, inside = 0;
  for (int y = 0; y < image.height; ++y) {
    across += difference(pixel(image, 0, y, 3), pixel(image, image.width - 1, y, 3));
    for (int x = 1; x < image.width; ++x) inside += difference(pixel(image, x, y, 3), pixel(image, x - 1, y, 3));
  }
  for (int x = 0; x < image.width; ++x) {
    across += difference(pixel(image, x, 0, 3), pixel(image, x, image.height - 1, 3));
    for (int y = 1; y < image.height; ++y) inside += difference(pixel(image, x, y, 3), pixel(image, x, y - 1, 3));
  }
  const double edges = image.width + image.height;
  const double pairs = image.height * (image.width - 1.0) + image.width * (image.height - 1.0);
  if (inside == 0) return across == 0 ? 1.0 : 255.0;
  return (across / edges) / (inside / pairs);
}

}  // namespace fjord
