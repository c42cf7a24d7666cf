// Pictures to start from, second passes and the like in a picture's record.
#include "cli/image_input_json.h"

#include "cli/request_json.h"

#include <fjord/error.h>

#include <gtest/gtest.h>

namespace fjord::cli {
namespace {

using Json = nlohmann::ordered_json;

Request full_request() {
  Request request;
  request.image_input.images = {Image{1, 1, {1, 2, 3}}};
  request.image_input.strength = 0.35;
  request.image_input.fit = Fit::kFill;
  auto& inpaint = request.image_input.inpaint;
  inpaint.extend = {1, 2, 3, 4};
  inpaint.grow = 5;
  inpaint.blur = 2.5;
  inpaint.region = PaintRegion::kNative;
  inpaint.padding = 7;
  inpaint.soft = true;
  inpaint.keep_outside = false;
  inpaint.match_colors = true;
  request.variation = {~std::uint64_t{0}, 0.25};
  request.hires = {1.5, Upscaler::kPixels, 0.4, 9};
  request.seamless = {true, false};
  return request;
}

TEST(TaskJsonTest, EveryFieldRoundTrips) {
  const auto json = request_to_json(full_request());
  const Request back = request_from_json(Json::parse(json.dump()));
  EXPECT_EQ(back.image_input.strength, 0.35);
  EXPECT_EQ(back.image_input.fit, Fit::kFill);
  const auto& inpaint = back.image_input.inpaint;
  EXPECT_EQ((std::vector{inpaint.extend.left, inpaint.extend.top, inpaint.extend.right, inpaint.extend.bottom}),
            (std::vector{1, 2, 3, 4}));
  EXPECT_EQ(inpaint.grow, 5);
  EXPECT_EQ(inpaint.blur, 2.5);
  EXPECT_EQ(inpaint.region, PaintRegion::kNative);
  EXPECT_EQ(inpaint.padding, 7);
  EXPECT_TRUE(inpaint.soft && !inpaint.keep_outside && inpaint.match_colors);
  EXPECT_EQ(back.variation.seed, ~std::uint64_t{0});
  EXPECT_EQ(back.variation.strength, 0.25);
  EXPECT_EQ(back.hires.scale, 1.5);
  EXPECT_EQ(back.hires.upscaler, Upscaler::kPixels);
  EXPECT_EQ(back.hires.strength, 0.4);
  EXPECT_EQ(back.hires.steps, 9);
  EXPECT_TRUE(back.seamless.x && !back.seamless.y);
}

TEST(TaskJsonTest, DefaultsAreLeftOut) {
  const auto json = request_to_json(Request());
  for (const char* name : {"image_input", "variation", "hires", "seamless"}) EXPECT_FALSE(json.contains(name)) << name;
}

ErrorCode code_of(const char* name, const char* text) {
  try {
    request_from_json({{name, Json::parse(text)}});
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error for " << text;
  return ErrorCode::kInternal;
}

TEST(TaskJsonTest, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(code_of("image_input", R"({"fit": "melt"})"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of("image_input", R"({"inpaint": {"extend": [1, 2]}})"), ErrorCode::kBadFile);
  EXPECT_EQ(code_of("image_input", R"({"inpaint": {"extend": [1, 2, 3, 1e99]}})"), ErrorCode::kBadFile);
  EXPECT_EQ(code_of("image_input", R"({"zoom": 1})"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of("hires", R"({"upscaler": "magic"})"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of("seamless", R"({"x": 1})"), ErrorCode::kBadFile);
}

TEST(TaskJsonTest, FilesRoundTrip) {
  InputFiles files;
  files.images = {{"a.png", "12"}, {"b.png", "34"}};
  files.mask = {"m.png", "56"};
  files.mask_source = MaskSource::kErased;
  const auto back = input_files_from_json(input_files_to_json(files), "record");
  ASSERT_EQ(back.images.size(), 2u);
  EXPECT_EQ(back.images[1].path, "b.png");
  EXPECT_EQ(back.images[1].fingerprint, "34");
  EXPECT_EQ(back.mask.path, "m.png");
  EXPECT_EQ(back.mask_source, MaskSource::kErased);
  EXPECT_TRUE(input_files_to_json({}).is_null());
}

}  // namespace
}  // namespace fjord::cli
