// A picture as image encoders are shown it. Reference: transformers CLIPImageProcessor over Pillow.
#pragma once

#include <fjord/image.h>

namespace fjord {

// The middle square of the picture, in side x side pixels: its shorter side is brought to `side` by bicubic
// interpolation, then what sticks out of the longer one is cut off.
Image middle_square(const Image& image, int side);

}  // namespace fjord
