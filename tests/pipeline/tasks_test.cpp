// Image to image, inpainting, second passes, variations and seamless tiling against diffusers: every byte of every
// picture. Expected values: tests/reference/tasks.py.
#include "pipeline/task_cases.h"
#include "pipeline/test_models.h"
#include "support/error_of.h"

#include <gmock/gmock.h>

namespace fjord {
namespace {

using testing::blob;
using testing::blotches;
using testing::error_of;
using ::testing::HasSubstr;

constexpr char kFolder[] = "tasks";

const nlohmann::json& all_cases() {
  static const auto cases = testing::read_cases(kFolder);
  return cases;
}

const Pipeline& pipeline(const std::string& model) {
  static const auto tiny = Pipeline::load(testing::tiny_model());
  static const auto random = Pipeline::load(testing::random_model());
  static const auto inpaint = Pipeline::load(testing::inpainting_model());
  return model == "tiny" ? tiny : (model == "random" ? random : inpaint);
}

class TaskParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(TaskParityTest, PicturesMatchReference) {
  const auto& json = all_cases().at(GetParam());
  const auto images = pipeline(json.at("model")).generate(testing::make_task_request(json)).images;
  testing::expect_pictures(images, testing::recorded_images(kFolder, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Cases, TaskParityTest, ::testing::ValuesIn(testing::case_names(all_cases())),
                         [](const auto& each) { return each.param; });

// A picture with a hole, at few steps.
Request hole() {
  Request request;
  request.prompt = "a gold crown on red cloth";
  request.steps = 2;
  request.image_input.images = {blotches(64, 48, 1)};
  request.image_input.inpaint.mask = blob(64, 48, {16, 8, 40, 30});
  return request;
}

Result run(const Request& request) { return pipeline("tiny").generate(request); }

TEST(InpaintTest, WhatTheMaskLeavesOutStaysToTheBit) {
  for (const auto region : {PaintRegion::kWhole, PaintRegion::kFitted, PaintRegion::kNative}) {
    auto request = hole();
    request.image_input.inpaint.region = region;
    request.image_input.inpaint.blur = 2;
    request.image_input.inpaint.match_colors = true;
    const auto made = run(request).images.at(0);
    const auto& original = request.image_input.images[0];
    ASSERT_EQ(made.pixels.size(), original.pixels.size());
    int changed = 0;
    for (int y = 0; y < 48; ++y) {
      for (int x = 0; x < 64; ++x) {
        const auto i = static_cast<size_t>(y * 64 + x) * 3;
        const bool far = x < 16 - 8 || x >= 40 + 8 || y >= 30 + 8;  // farther than the blur reaches
        const bool same = std::equal(made.pixels.begin() + static_cast<std::ptrdiff_t>(i),
                                     made.pixels.begin() + static_cast<std::ptrdiff_t>(i) + 3,
                                     original.pixels.begin() + static_cast<std::ptrdiff_t>(i));
        if (far) {
          EXPECT_TRUE(same) << x << ", " << y;
        }
        changed += same ? 0 : 1;
      }
    }
    EXPECT_GT(changed, 300);
  }
}

TEST(InpaintTest, TheResultsRequestGivesTheSamePictures) {
  for (const auto region : {PaintRegion::kWhole, PaintRegion::kFitted, PaintRegion::kNative}) {
    auto request = hole();
    request.image_input.inpaint.region = region;
    const auto first = run(request);
    EXPECT_EQ(run(first.request).images.at(0).pixels, first.images.at(0).pixels);
  }
}

// Every task in the narrower numbers: near the float32 picture, which the other tests compare to the bit.
TEST(InpaintTest, TasksWorkInBFloat16) {
  LoadOptions options;
  options.precision = Precision::kBFloat16;
  const auto half = Pipeline::load(testing::tiny_model(), options);
  for (const char* name : {"own_scheduler", "hole_multi", "soft", "hires_latent", "seamless_xy"}) {
    const auto images = half.generate(testing::make_task_request(all_cases().at(name))).images;
    const auto difference = testing::pixel_differences(images, testing::recorded_images(kFolder, name));
    EXPECT_LT(difference.to(at::kDouble).mean().item<double>(), 12.0) << name;
  }
}

TEST(ImageInputTest, FillsInWhatThePicturesDecide) {
  auto request = hole();
  request.decode = false;
  EXPECT_EQ(run(request).request.image_input.strength, 1.0);
  EXPECT_EQ(run(request).request.height, 48);
  request.image_input.inpaint = {};
  request.image_input.images = {blotches(30, 21, 1), blotches(64, 48, 1)};
  const auto filled = run(request).request;
  EXPECT_EQ(filled.image_input.strength, 0.8);
  EXPECT_EQ(filled.images, 2);
  EXPECT_EQ(filled.width, 24);
  EXPECT_EQ(filled.height, 16);
}

TEST(ImageInputTest, APictureOfOnePixelIsEnlarged) {
  Request request;
  request.steps = 2;
  request.image_input.images = {Image{1, 1, {200, 10, 10}}};
  EXPECT_EQ(run(request).images.at(0).width, 8);
}

TEST(ImageInputTest, ProgressCountsTheStepsThatRun) {
  Request request;
  request.steps = 10;
  request.image_input.images = {blotches(32, 32, 1)};
  request.image_input.strength = 0.35;
  EXPECT_EQ(pipeline("tiny").start(request).progress().steps, 3);
  request.hires.scale = 1.5;
  request.hires.strength = 0.5;
  request.hires.steps = 8;
  EXPECT_EQ(pipeline("tiny").start(request).progress().steps, 3 + 4);
}

struct BadInput {
  const char* name;
  void (*change)(Request&);
  const char* message;
};

class BadInputTest : public ::testing::TestWithParam<BadInput> {};

// One sentence, and the next good request gives the same picture.
TEST_P(BadInputTest, IsRefused) {
  static const auto good = run(hole()).images.at(0).pixels;
  auto request = hole();
  GetParam().change(request);
  const auto error = error_of([&] { run(request); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  EXPECT_EQ(run(hole()).images.at(0).pixels, good);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadInputTest,
    ::testing::Values(
        BadInput{"strength_nan", [](Request& r) { r.image_input.strength = NAN; }, "strength must be above 0"},
        BadInput{"strength_0", [](Request& r) { r.image_input.strength = 0; }, "strength must be above 0"},
        BadInput{"strength_2", [](Request& r) { r.image_input.strength = 2; }, "at most 1, got 2"},
        BadInput{"no_step", [](Request& r) { r.image_input.strength = 0.3; }, "leaves none of 2 steps"},
        BadInput{"short_pixels", [](Request& r) { r.image_input.images[0].pixels.pop_back(); }, "must have 9216 bytes"},
        BadInput{"no_size", [](Request& r) { r.image_input.images[0].width = 0; }, "1 to 8192 pixels a side, got 0x48"},
        BadInput{"other_mask",
                 [](Request& r) {
                   r.image_input.inpaint.mask = blob(48, 64, {0, 0, 9, 9});
                 },
                 "must have the picture's size, 64x48, got 48x64"},
        BadInput{"short_mask", [](Request& r) { r.image_input.inpaint.mask.values.pop_back(); },
                 "must have 3072 bytes"},
        BadInput{"empty_mask",
                 [](Request& r) {
                   r.image_input.inpaint.mask = blob(64, 48, {0, 0, 0, 0});
                 },
                 "nothing is painted"},
        BadInput{"no_picture", [](Request& r) { r.image_input.images.clear(); }, "need a picture"},
        BadInput{"two_sizes", [](Request& r) { r.image_input.images.push_back(blotches(64, 40, 1)); }, "of one size"},
        BadInput{"odd_batch",
                 [](Request& r) {
                   r.image_input.images.push_back(r.image_input.images[0]);
                   r.images = 3;
                 },
                 "a multiple of the 2 pictures"},
        BadInput{"grow", [](Request& r) { r.image_input.inpaint.grow = 257; }, "inpaint.grow must be from 0 to 256"},
        BadInput{"blur", [](Request& r) { r.image_input.inpaint.blur = -1; }, "inpaint.blur must be from 0"},
        BadInput{"padding", [](Request& r) { r.image_input.inpaint.padding = -1; }, "inpaint.padding"},
        BadInput{"margin", [](Request& r) { r.image_input.inpaint.extend.left = -8; }, "margin of inpaint.extend"},
        BadInput{"huge", [](Request& r) { r.image_input.inpaint.extend.right = 8190; }, "at most 8192 pixels a side"},
        BadInput{"hires_mask", [](Request& r) { r.hires.scale = 2; }, "cannot follow inpainting"},
        BadInput{"hires_scale", [](Request& r) { r.hires.scale = 9; }, "hires.scale must be from 1 to 8"},
        BadInput{"variation", [](Request& r) { r.variation.strength = 1.5; }, "variation.strength"}),
    [](const auto& each) { return each.param.name; });

TEST(InpaintTest, AModelOfNineChannelsNeedsAMask) {
  Request request;
  request.prompt = "x";
  const auto error = error_of([&] { pipeline("inpaint").generate(request); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("needs a picture with a mask"));
}

// The picture moved around a closed axis is the picture of the moved noise: nothing knows where the border is.
TEST(SeamlessTest, MovedNoiseGivesTheMovedPicture) {
  Request request;
  request.prompt = "a gold crown on red cloth";
  request.steps = 3;
  request.width = request.height = 64;
  request.scheduler = "DDIMScheduler";
  request.seamless = {true, true};
  const auto noise = at::randn({1, 4, 8, 8}, at::kFloat);
  const auto picture_of = [&](const at::Tensor& latents) {
    const auto flat = latents.contiguous();
    request.latents = {{1, 4, 8, 8}, {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()}};
    const auto image = run(request).images.at(0);
    return at::tensor(image.pixels).to(at::kInt).reshape({64, 64, 3});
  };
  // Latents move in steps of the U-Net's coarsest map.
  const auto expected = picture_of(noise).roll({32, 32}, {0, 1});
  const auto moved = picture_of(noise.roll({4, 4}, {2, 3}));
  EXPECT_LE((moved - expected).abs().max().item<int>(), 1);
}

// In tiles the decoder sees the other border as well: the seam is as smooth as the picture's inside.
TEST(SeamlessTest, TilesOfTheDecoderCloseToo) {
  auto request = testing::make_task_request(all_cases().at("seamless_xy"));
  request.width = request.height = 192;
  request.steps = 3;
  request.vae_tiling = true;
  const auto image = run(request).images.at(0);
  const auto pixels = at::tensor(image.pixels).to(at::kDouble).reshape({192, 192, 3});
  const auto step = [&](std::int64_t a, std::int64_t b) {
    return (pixels.select(1, a) - pixels.select(1, b)).abs().mean().item<double>();
  };
  double inside = 0;
  for (std::int64_t x = 0; x + 1 < 192; ++x) inside = std::max(inside, step(x, x + 1));
  EXPECT_LE(step(0, 191), inside);
}

}  // namespace
}  // namespace fjord
