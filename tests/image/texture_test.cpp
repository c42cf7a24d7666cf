#include <fjord/texture.h>

#include "support/error_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace fjord {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using Pixels = std::vector<std::uint8_t>;

Image one_colour(int width, int height, std::uint8_t value) {
  return {width, height, Pixels(static_cast<size_t>(width * height * 3), value)};
}

TEST(TextureTest, RgbaAndFloats) {
  const Image image{2, 1, {0, 51, 255, 10, 20, 30}};
  EXPECT_THAT(to_rgba(image, 7).pixels, ElementsAre(0, 51, 255, 7, 10, 20, 30, 7));
  const auto floats = to_float(image);
  EXPECT_EQ(floats.channels, 3);
  EXPECT_FLOAT_EQ(floats.pixels[1], 0.2F);
  EXPECT_FLOAT_EQ(floats.pixels[2], 1.0F);
  EXPECT_EQ(to_float(to_rgba(image)).channels, 4);
}

TEST(TextureTest, AlphaIsTheMasksLuma) {
  // Rec. 601: 0.299 red, 0.587 green, 0.114 blue.
  const auto rgba = with_alpha(one_colour(4, 1, 9), Image{4, 1, {255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255}});
  EXPECT_EQ(rgba.pixels[3], 255);
  EXPECT_EQ(rgba.pixels[7], 76);
  EXPECT_EQ(rgba.pixels[11], 150);
  EXPECT_EQ(rgba.pixels[15], 29);
}

TEST(TextureTest, ContradictingSizesAreRefused) {
  const Image bad{2, 2, Pixels(11)};
  EXPECT_EQ(error_of([&] { to_rgba(bad); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { to_float(Image{}); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { normal_map(bad); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { seam_visibility(bad); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { mip_chain({1, 1, Pixels(3)}); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { with_alpha(one_colour(2, 2, 0), one_colour(2, 1, 0)); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { normal_map(one_colour(2, 2, 0), {.strength = NAN}); }).code(), ErrorCode::kInvalidArgument);
}

TEST(MipChainTest, HalvesDownToOnePixel) {
  const auto levels = mip_chain(to_rgba(one_colour(5, 2, 200)));
  ASSERT_EQ(levels.size(), 3U);
  EXPECT_EQ(levels[1].width, 2);
  EXPECT_EQ(levels[1].height, 1);
  EXPECT_EQ(levels[2].width, 1);
  for (const auto& level : levels) EXPECT_EQ(level.pixels[0], 200);
}

TEST(MipChainTest, AveragesLight) {
  // Half of the light of white is 188 in sRGB (1.055 * 0.5^(1/2.4) - 0.055 = 0.7354), not 128.
  const auto levels = mip_chain(to_rgba({2, 1, {0, 0, 0, 255, 255, 255}}));
  EXPECT_THAT(levels.back().pixels, ElementsAre(188, 188, 188, 255));
}

TEST(MipChainTest, TransparentPixelsGiveNoColour) {
  const auto levels = mip_chain({2, 1, {255, 0, 0, 255, 0, 255, 0, 0}});
  EXPECT_THAT(levels.back().pixels, ElementsAre(255, 0, 0, 128));
}

TEST(NormalMapTest, FlatHeightsPointOutwards) {
  const auto map = normal_map(one_colour(3, 3, 80));
  EXPECT_EQ(map.pixels[0], 128);
  EXPECT_EQ(map.pixels[1], 128);
  EXPECT_EQ(map.pixels[2], 255);
}

// Heights rise by 51 levels (0.2) a pixel to the right: with strength 1 ten pixels high over white, the slope is 2, and
// the normal (-2, 0, 1) / sqrt(5).
TEST(NormalMapTest, SlopesLeanAway) {
  Image ramp{5, 3, {}};
  for (int i = 0; i < 15; ++i) ramp.pixels.insert(ramp.pixels.end(), 3, static_cast<std::uint8_t>(i % 5 * 51));
  const auto map = normal_map(ramp);
  const auto* middle = map.pixels.data() + (5 + 2) * 3;
  EXPECT_EQ(middle[0], std::lround((-2 / std::sqrt(5.0) * 0.5 + 0.5) * 255));
  EXPECT_EQ(middle[1], 128);
  EXPECT_EQ(middle[2], std::lround((1 / std::sqrt(5.0) * 0.5 + 0.5) * 255));
}

TEST(NormalMapTest, GreenFollowsTheWish) {
  Image ramp{3, 5, {}};  // rises downwards
  for (int i = 0; i < 15; ++i) ramp.pixels.insert(ramp.pixels.end(), 3, static_cast<std::uint8_t>(i / 3 * 51));
  const auto up = normal_map(ramp), down = normal_map(ramp, {.y_points_up = false});
  const size_t middle = (2 * 3 + 1) * 3 + 1;
  EXPECT_GT(up.pixels[middle], 200);  // leans away from the rise, that is upwards
  EXPECT_LT(down.pixels[middle], 55);
}

TEST(NormalMapTest, WrappedEdgesAreNeighbours) {
  Image ramp{4, 1, {}};
  for (const std::uint8_t value : {0, 100, 100, 200}) ramp.pixels.insert(ramp.pixels.end(), 3, value);
  const auto open = normal_map(ramp), wrapped = normal_map(ramp, {.wrap = true});
  EXPECT_LT(open.pixels[0], 128);
  EXPECT_GT(wrapped.pixels[0], 128);  // the neighbour on the left is the high right edge
}

TEST(SeamTest, TellsTexturesFromPictures) {
  Image seamless{16, 16, {}}, ramp{16, 16, {}};
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      const double wave = std::sin(x * M_PI / 8) + std::cos(y * M_PI / 8);
      seamless.pixels.insert(seamless.pixels.end(), 3, static_cast<std::uint8_t>(128 + 60 * wave));
      ramp.pixels.insert(ramp.pixels.end(), 3, static_cast<std::uint8_t>(x * 8 + y * 8));
    }
  }
  EXPECT_NEAR(seam_visibility(seamless), 1.0, 0.5);
  EXPECT_NEAR(seam_visibility(ramp), 15.0, 0.1);
  EXPECT_EQ(seam_visibility(one_colour(4, 4, 1)), 1.0);
}

}  // namespace
}  // namespace fjord
