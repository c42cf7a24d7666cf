#include "image/middle_square.h"

#include "image/fitting.h"
#include "image/resample.h"

#include <cstdint>

namespace fjord {
namespace {

// `side` as the shorter one grows by as much as `length` is longer, rounded down.
int in_proportion(int side, int length, int shorter) {
  return static_cast<int>(static_cast<std::int64_t>(side) * length / shorter);
}

}  // namespace

Image middle_square(const Image& image, int side) {
  const bool upright = image.width <= image.height;
  const int width = upright ? side : in_proportion(side, image.width, image.height);
  const int height = upright ? in_proportion(side, image.height, image.width) : side;
  return cut(resize(image, width, height, Filter::kBicubic), {(width - side) / 2, (height - side) / 2, side, side});
}

}  // namespace fjord
