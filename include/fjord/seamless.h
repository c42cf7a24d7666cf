// Textures that go on where they end.
#pragma once

namespace fjord {

// Each axis whose flag is set closes on itself: every convolution of the U-Net and of the VAE sees the other border
// beyond this one (circular padding), so that copies of the picture fit side by side.
struct Seamless {
  bool x = false;  // left and right
  bool y = false;  // top and bottom
};

}  // namespace fjord
