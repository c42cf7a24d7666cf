// Which part of a picture is worked on, and how it is brought to another shape. Reference: diffusers VaeImageProcessor.
#pragma once

#include <fjord/image.h>

namespace fjord {

// A rectangle of whole pixels.
struct Region {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
};

// The pixels of the mask that are not 0; the width is 0 if all are.
Region painted_region(const Mask& mask);

// That region with `padding` pixels around it, made higher or wider to the shape width : height, as far as the mask
// reaches. The mask must have a pixel that is not 0. Reference: get_crop_region.
Region fitted_region(const Mask& mask, int width, int height, int padding);

// That region with `padding` pixels around it, made at least width x height and multiples of `multiple`, moved into the
// mask as far as it fits. Where the mask is smaller it reaches beyond it, equally on both sides.
Region native_region(const Mask& mask, int width, int height, int padding, int multiple);

// The part of a picture; outside, the border's pixels go on.
Image cut(const Image& image, const Region& region);
Mask cut(const Mask& mask, const Region& region);

// How a picture of another shape is brought to width x height.
// The whole of it, in the middle; what stays empty is filled with its border, smeared. Reference: _resize_and_fill.
Image resized_to_fill(const Image& image, int width, int height);
Mask resized_to_fill(const Mask& mask, int width, int height);
// The middle of it; what sticks out is cut off. Reference: _resize_and_crop.
Image resized_to_crop(const Image& image, int width, int height);
Mask resized_to_crop(const Mask& mask, int width, int height);

}  // namespace fjord
