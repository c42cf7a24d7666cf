// Resizing, fitting and filtering: every byte against Pillow and diffusers (tests/reference/pictures.py).
#include "image/fitting.h"
#include "image/mask_filters.h"
#include "image/pictures.h"
#include "image/resample.h"
#include "image/seams.h"

#include <gtest/gtest.h>

namespace fjord {
namespace {

using testing::expected_pictures;
using testing::hex;
using testing::Json;
using testing::noise_image;
using testing::noise_mask;

TEST(ResampleTest, BytesAreThoseOfPillow) {
  for (const Json& item : expected_pictures().at("resized")) {
    const int width = item["size"][0], height = item["size"][1], to_width = item["to"][0], to_height = item["to"][1];
    const auto filter = item["filter"] == "lanczos" ? Filter::kLanczos : Filter::kBicubic;
    Box box{0, 0, static_cast<double>(width), static_cast<double>(height)};
    if (const Json& given = item["box"]; !given.is_null()) box = {given[0], given[1], given[2], given[3]};
    const std::string name = item["size"].dump() + item["to"].dump() + item["box"].dump();
    EXPECT_EQ(hex(resize(noise_image(width, height), to_width, to_height, filter, box).pixels), item["rgb"]) << name;
    EXPECT_EQ(hex(resize(noise_mask(width, height), to_width, to_height, filter, box).values), item["gray"]) << name;
  }
}

TEST(ResampleTest, TheSameSizeIsACopy) {
  const auto image = noise_image(9, 5);
  EXPECT_EQ(resize(image, 9, 5).pixels, image.pixels);
}

TEST(FittingTest, FillAndCropAreThoseOfTheReference) {
  for (const Json& item : expected_pictures().at("fitted")) {
    const auto image = noise_image(item["size"][0], item["size"][1]);
    EXPECT_EQ(hex(resized_to_fill(image, item["to"][0], item["to"][1]).pixels), item["fill"]) << item["size"];
    EXPECT_EQ(hex(resized_to_crop(image, item["to"][0], item["to"][1]).pixels), item["crop"]) << item["size"];
  }
}

Mask blob(int width, int height, const Json& box) {
  Mask mask{width, height, std::vector<std::uint8_t>(testing::area(width, height))};
  for (int y = box[1]; y < box[3]; ++y) {
    for (int x = box[0]; x < box[2]; ++x) mask.values[static_cast<size_t>(y * width + x)] = 255;
  }
  return mask;
}

TEST(FittingTest, RegionsAreThoseOfTheReference) {
  for (const Json& item : expected_pictures().at("regions")) {
    const auto mask = blob(item["size"][0], item["size"][1], item["box"]);
    const auto region = fitted_region(mask, item["to"][0], item["to"][1], item["padding"]);
    EXPECT_EQ((Json{region.left, region.top, region.width, region.height}), item["region"]) << item;
  }
}

Json native(const Mask& mask, int width, int height, int padding) {
  const auto region = native_region(mask, width, height, padding, 8);
  return {region.left, region.top, region.width, region.height};
}

TEST(FittingTest, NativeRegionsAreMultiplesInsideThePictureWhereItIsLargeEnough) {
  const auto mask = blob(100, 60, {40, 20, 51, 30});
  EXPECT_EQ(native(mask, 0, 0, 0), (Json{38, 17, 16, 16}));      // 11x10 pixels, 2.5 and 3 on each side
  EXPECT_EQ(native(mask, 0, 0, 5), (Json{34, 13, 24, 24}));      // 21x20
  EXPECT_EQ(native(mask, 64, 32, 5), (Json{14, 9, 64, 32}));     // as large as wished
  EXPECT_EQ(native(mask, 96, 56, 0), (Json{0, 0, 96, 56}));      // moved inside
  EXPECT_EQ(native(mask, 104, 64, 0), (Json{-2, -2, 104, 64}));  // larger than the picture
  EXPECT_EQ(native(blob(100, 60, {99, 59, 100, 60}), 16, 16, 3), (Json{84, 44, 16, 16}));
}

TEST(FittingTest, CutsGoOnBeyondTheBorder) {
  const Mask mask{2, 2, {1, 2, 3, 4}};
  EXPECT_EQ(cut(mask, {-1, -1, 4, 3}).values, (std::vector<std::uint8_t>{1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4}));
  EXPECT_EQ(painted_region(Mask{2, 2, {0, 0, 0, 0}}).width, 0);
}

TEST(MaskFilterTest, BytesAreThoseOfPillow) {
  for (const Json& item : expected_pictures().at("filters")) {
    const auto mask = noise_mask(item["size"][0], item["size"][1], item["seed"]);
    const auto filtered = item.contains("grow") ? grown(mask, item["grow"]) : blurred(mask, item["blur"]);
    EXPECT_EQ(hex(filtered.values), item["gray"]) << item.dump().substr(0, 60);
  }
}

TEST(SeamTest, OverlaysAreThoseOfTheReference) {
  for (const Json& item : expected_pictures().at("overlays")) {
    const int width = item["size"][0], height = item["size"][1];
    const auto mask = noise_mask(width, height, 23);
    EXPECT_EQ(hex(laid_over(noise_image(width, height, 21), noise_image(width, height, 22), mask).pixels), item["rgb"]);
  }
}

TEST(SeamTest, WithoutPixelsAroundTheMaskColorsStay) {
  const auto painted = noise_image(5, 4, 1);
  const Mask all{5, 4, std::vector<std::uint8_t>(20, 255)};
  EXPECT_EQ(colors_matched(painted, noise_image(5, 4, 2), all).pixels, painted.pixels);
}

// One color everywhere around the mask: the painted part takes its mean, and a spread of 0.
TEST(SeamTest, ColorsFollowThoseAroundTheMask) {
  Mask mask{8, 1, {255, 255, 0, 0, 0, 0, 0, 0}};
  Image original{8, 1, std::vector<std::uint8_t>(24, 100)};
  EXPECT_EQ(colors_matched(noise_image(8, 1), original, mask).pixels, original.pixels);
}

}  // namespace
}  // namespace fjord
