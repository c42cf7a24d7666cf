// How bright a pixel is: the rounding of ITU-R BT.601's luma in 16-bit fixed point that Pillow's convert("L") has.
#pragma once

#include <fjord/image.h>

#include <cstddef>
#include <cstdint>

namespace fjord {

// Of three bytes: red, green, blue.
inline std::uint8_t luma(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
}

// How bright each pixel is.
inline Mask brightness(const Image& image) {
  Mask out{image.width, image.height, {}};
  out.values.reserve(image.pixels.size() / 3);
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) out.values.push_back(luma(&image.pixels[i]));
  return out;
}

}  // namespace fjord
