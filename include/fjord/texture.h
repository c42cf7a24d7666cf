// Pictures as games want them: RGBA bytes, floats, mip chains, normal maps, masks as alpha.
#pragma once

#include <fjord/export.h>
#include <fjord/image.h>

#include <cstdint>
#include <vector>

namespace fjord {

// 8 bits a channel, red, green, blue, alpha (not premultiplied); rows from top to bottom without padding.
struct RgbaImage {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;  // height * width * 4 values
};

// Floats from 0 to 1, as stored (sRGB, not linear light); rows from top to bottom without padding.
struct FloatImage {
  int width = 0;
  int height = 0;
  int channels = 0;           // 3 or 4
  std::vector<float> pixels;  // height * width * channels values
};

// With the same alpha everywhere. Throws Error(kInvalidArgument), as all below, for an image whose sizes contradict
// each other.
FJORD_API RgbaImage to_rgba(const Image& image, std::uint8_t alpha = 255);
// With `mask` as alpha, or the brightness of a picture (Rec. 601 luma). Throws kInvalidArgument unless both have the
// same size.
FJORD_API RgbaImage with_alpha(const Image& image, const Mask& mask);
FJORD_API RgbaImage with_alpha(const Image& image, const Image& mask);
FJORD_API FloatImage to_float(const Image& image);
FJORD_API FloatImage to_float(const RgbaImage& image);

// The image and its halves down to 1x1: each pixel is the mean of those it covers, in linear light and weighted by
// alpha, so that colours neither darken nor bleed from what is transparent. Odd sides round down.
FJORD_API std::vector<RgbaImage> mip_chain(const RgbaImage& image);

struct NormalMapOptions {
  double strength = 1.0;    // height of white over black in units of ten pixels, above 0 to 100
  bool wrap = false;        // the picture is a seamless texture: its edges are neighbours
  bool y_points_up = true;  // green grows upwards (OpenGL, Godot); false: downwards (Direct3D, Unreal)
};

// A tangent-space normal map of a picture taken as heights, white highest, by Sobel's operator.
FJORD_API Image normal_map(const Image& height, const NormalMapOptions& options = {});

// How visible the seams of a tiled texture are: the mean difference of pixels across its edges over the mean difference
// of neighbours inside. About 1 for a seamless texture, several for an ordinary picture.
FJORD_API double seam_visibility(const Image& image);

}  // namespace fjord
