// Pictures near another one: noise between that of two seeds.
#pragma once

#include <cstdint>

namespace fjord {

// The initial noise of image i goes along a great circle (slerp) from that of the request's first image to that of
// `seed` + i. All other numbers come from the request's own seed.
struct Variation {
  std::uint64_t seed = 0;
  double strength = 0.0;  // 0: off, 1: the noise of `seed` + i alone
};

}  // namespace fjord
