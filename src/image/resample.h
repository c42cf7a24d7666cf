// Resizing of pictures and masks: byte for byte what Pillow's Image.resize gives, which the reference's pipelines use.
#pragma once

#include <fjord/image.h>

namespace fjord {

enum class Filter {
  kBicubic,  // Keys 1981, a = -1/2
  kLanczos,  // three lobes
};

// A part of a picture, in pixels; its ends may lie between pixels, and on the same place.
struct Box {
  double left = 0.0;
  double top = 0.0;
  double right = 0.0;
  double bottom = 0.0;
};

// The whole picture, or the part `box` of it, in width x height pixels. A picture that has that size already is copied.
Image resize(const Image& image, int width, int height, Filter filter = Filter::kLanczos);
Mask resize(const Mask& mask, int width, int height, Filter filter = Filter::kLanczos);
Image resize(const Image& image, int width, int height, Filter filter, const Box& box);
Mask resize(const Mask& mask, int width, int height, Filter filter, const Box& box);

}  // namespace fjord
