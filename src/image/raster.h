// What Image and Mask have in common: rows of pixels of bytes.
#pragma once

#include <fjord/image.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace fjord {

struct Raster {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<std::uint8_t> bytes;  // height * width * channels

  // Zeros.
  Raster(int columns, int rows, int numbers) : Raster(columns, rows, numbers, {}) { bytes.resize(offset(0, rows)); }
  Raster(int columns, int rows, int numbers, std::vector<std::uint8_t> values)
      : width(columns), height(rows), channels(numbers), bytes(std::move(values)) {}

  std::uint8_t* at(int x, int y, int channel = 0) { return bytes.data() + offset(x, y) + channel; }
  const std::uint8_t* at(int x, int y, int channel = 0) const { return bytes.data() + offset(x, y) + channel; }

 private:
  size_t offset(int x, int y) const {
    return (static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)) *
           static_cast<size_t>(channels);
  }
};

inline Raster to_raster(const Image& image) { return {image.width, image.height, 3, image.pixels}; }
inline Raster to_raster(const Mask& mask) { return {mask.width, mask.height, 1, mask.values}; }
inline Image to_image(Raster raster) { return {raster.width, raster.height, std::move(raster.bytes)}; }
inline Mask to_mask(Raster raster) { return {raster.width, raster.height, std::move(raster.bytes)}; }

}  // namespace fjord
