// Images as plain bytes, and PNG files that carry text.
#pragma once

#include <fjord/export.h>

#include <cstddef>
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

// One number a pixel, 8 bits, rows from top to bottom.
struct Mask {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> values;  // height * width values
};

// What a PNG file says about each pixel of a mask.
enum class MaskSource {
  kLuma,    // how bright it is: (299 R + 587 G + 114 B) / 1000, as ITU-R BT.601
  kErased,  // how transparent it is; 0 everywhere in a file without transparency
};

// Text stored in a PNG file by keyword, UTF-8 on both sides. Keywords are 1-79 Latin-1 characters.
using PngText = std::map<std::string, std::string>;

// Writes `image` as PNG. The file appears whole or not at all (written beside the target, then renamed).
// Throws Error: kInvalidArgument if the image's sizes contradict each other, kCannotWrite otherwise.
FJORD_API void write_png(const std::string& path, const Image& image, const PngText& text = {});

// The picture in a PNG file of any kind (1 to 16 bits, gray, palette, RGB, interlaced) as 8-bit RGB. Of 16 bits the
// upper 8 count; transparency and colour profiles are left out, so that the numbers are those that Pillow's
// convert("RGB") gives. Extra frames of an animation are left out too. Throws Error: kNotFound; kBadFile if it is no
// PNG file or a damaged one; kUnsupported if it is larger than 8192 pixels a side or 2^26 in all, which is told from
// its header before memory is taken.
FJORD_API Image read_png(const std::string& path);
// Likewise from `size` bytes in memory; `name` stands for them in messages.
FJORD_API Image decode_png(const void* data, std::size_t size, const std::string& name = "the PNG picture");
// A mask from a PNG file; the same errors.
FJORD_API Mask read_png_mask(const std::string& path, MaskSource source = MaskSource::kLuma);

// Reads the text chunks (tEXt, zTXt, iTXt) of a PNG file. The pixels are not decoded.
// Throws Error: kNotFound, or kBadFile if it is no PNG file or a damaged one.
FJORD_API PngText read_png_text(const std::string& path);

}  // namespace fjord
