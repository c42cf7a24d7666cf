// Growing and blurring of masks: byte for byte what Pillow's MaxFilter and GaussianBlur give.
#pragma once

#include <fjord/image.h>

namespace fjord {

// Every pixel takes the largest value of the square that reaches `pixels` to all sides; those outside do not count.
Mask grown(const Mask& mask, int pixels);

// Gaussian blur with standard deviation `radius`, as three box blurs ("Fast Almost-Gaussian Filtering", Kovesi 2010;
// fractional boxes: Gwosdek et al. 2011). Outside, the border's values go on.
Mask blurred(const Mask& mask, double radius);

}  // namespace fjord
