// Putting a painted part back into its picture without a visible seam.
#pragma once

#include <fjord/image.h>

namespace fjord {

// `original` where the mask is 0, `painted` where it is 255, between them a mixture in proportion, rounded as the
// reference's apply_overlay does. All of one size.
Image laid_over(const Image& painted, const Image& original, const Mask& mask);

// `painted` with each channel brought to the mean and the standard deviation that `original` has in the ring of
// unpainted pixels (0) that are at most 32 from painted ones, measured against itself there ("Color Transfer between
// Images", Reinhard et al. 2001, in RGB). Without such pixels nothing changes. All of one size.
Image colors_matched(const Image& painted, const Image& original, const Mask& mask);

}  // namespace fjord
