// Images as plain bytes, and PNG files that carry text.
#pragma once

#include <fjord/export.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fjord {

// An RGB image: 8 bits a channel, rows from top to bottom, no padding between rows.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;  // height * width * 3 values
};

// Text stored in a PNG file by keyword, UTF-8 on both sides. Keywords are 1-79 Latin-1 characters.
using PngText = std::map<std::string, std::string>;

// Writes `image` as PNG. The file appears whole or not at all (written beside the target, then renamed).
// Throws Error: kInvalidArgument if the image's sizes contradict each other, kCannotWrite otherwise.
FJORD_API void write_png(const std::string& path, const Image& image, const PngText& text = {});

// Reads the text chunks (tEXt, zTXt, iTXt) of a PNG file. The pixels are not decoded.
// Throws Error: kNotFound, or kBadFile if it is no PNG file or a damaged one.
FJORD_API PngText read_png_text(const std::string& path);

}  // namespace fjord
