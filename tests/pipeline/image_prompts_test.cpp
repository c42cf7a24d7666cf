// Requests with pictures as prompts: pictures against diffusers, side by side, taken off again, and what is refused.
// Expected values: tests/reference/image_prompts.py.
#include "pipeline/image_prompts.h"

#include "loading/safetensors.h"
#include "pipeline/image_adapter_files.h"
#include "pipeline/task_cases.h"
#include "pipeline/test_models.h"
#include "support/error_of.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <future>

namespace fjord {
namespace {

using testing::blob;
using testing::blotches;
using testing::error_of;
using ::testing::HasSubstr;
using testing::image_adapter_path;
using testing::image_encoder_folder;
using Json = nlohmann::json;

constexpr char kFolder[] = "image_prompts";
// Levels of 255 on average; parity allows 0.005 of the values to differ by one.
constexpr double kOtherPicture = 0.1, kNoPicture = 1.0;

const Json& all_cases() {
  static const auto cases = testing::read_cases(kFolder);
  return cases;
}

const Pipeline& pipeline(const std::string& model) {
  static const auto random = Pipeline::load(testing::random_model());
  static const auto editing = Pipeline::load(testing::seeded_model("pix2pix/one_text"));
  if (model == "sdxl") return testing::family_pipeline("sdxl");
  return model == "random" ? random : editing;
}

ImagePrompt make_prompt(const Pipeline& model, const Json& json) {
  ImagePrompt prompt;
  prompt.adapter = model.load_image_adapter(image_adapter_path(json.at("adapter")));
  for (const auto& each : json.at("pictures")) prompt.images.push_back(blotches(each[0], each[1], each[2]));
  prompt.scale = json.at("scale");
  prompt.layer_scales = json.value("layer_scales", std::map<std::string, double>());
  const auto size = json.value("mask_size", std::vector<int>{64, 48});
  for (const auto& box : json.value("masks", Json::array())) {
    prompt.masks.push_back(blob(size.at(0), size.at(1), box.get<std::vector<int>>()));
  }
  return prompt;
}

Request make_request(const Pipeline& model, const Json& json) {
  auto request = testing::make_request(json);
  for (const auto& each : json.at("prompts")) request.image_prompts.push_back(make_prompt(model, each));
  request.guidance_options.perturbed_scale = json.value("perturbed_scale", 0.0);
  if (json.contains("start")) {
    const auto& start = json.at("start");
    request.image_input.images = {blotches(start[0], start[1], start[2])};
    if (json.contains("strength")) request.image_input.strength = json.at("strength").get<double>();
  }
  return request;
}

class ImagePromptParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ImagePromptParityTest, PicturesMatchReference) {
  const auto& json = all_cases().at(GetParam());
  const auto& model = pipeline(json.at("model"));
  testing::expect_pictures(model.generate(make_request(model, json)).images,
                           testing::recorded_images(kFolder, GetParam()));
}

// What the comparison above is worth: without the pictures, and with others, it would fail.
TEST_P(ImagePromptParityTest, PicturesWouldTellBlindness) {
  const auto& json = all_cases().at(GetParam());
  if (json.at("prompts").empty()) return;
  const auto& model = pipeline(json.at("model"));
  const auto expected = testing::recorded_images(kFolder, GetParam());
  auto request = make_request(model, json);
  for (auto& prompt : request.image_prompts) {
    for (auto& image : prompt.images) image = blotches(image.width, image.height, 77);
  }
  EXPECT_GE(testing::mean_difference(model.generate(request).images, expected), kOtherPicture);
  request.image_prompts.clear();
  EXPECT_GE(testing::mean_difference(model.generate(request).images, expected), kNoPicture);
}

INSTANTIATE_TEST_SUITE_P(Cases, ImagePromptParityTest, ::testing::ValuesIn(testing::case_names(all_cases())),
                         [](const auto& each) { return each.param; });

class EncoderPixelsTest : public ::testing::TestWithParam<std::string> {};

std::vector<std::string> recorded_pixels() {
  const loading::Safetensors file(loading::open_file(FJORD_TEST_DATA "/image_prompts/pixels.safetensors"));
  std::vector<std::string> names;
  for (const auto& [name, entry] : file.tensors()) names.push_back(name);
  return names;
}

// "width.height.seed.side": what the reference's processor makes of that picture.
TEST_P(EncoderPixelsTest, MatchReference) {
  int width = 0, height = 0, seed = 0, side = 0;
  ASSERT_EQ(std::sscanf(GetParam().c_str(), "%d.%d.%d.%d", &width, &height, &seed, &side), 4);
  const loading::Safetensors file(loading::open_file(FJORD_TEST_DATA "/image_prompts/pixels.safetensors"));
  auto expected = at::empty({1, 3, side, side});
  file.read_into(file.tensors().at(GetParam()), GetParam(), expected);
  const auto pixels = pipeline::encoder_pixels({blotches(width, height, static_cast<std::uint32_t>(seed))}, side);
  EXPECT_LE((pixels - expected).abs().max().item<double>(), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Cases, EncoderPixelsTest, ::testing::ValuesIn(recorded_pixels()), [](const auto& each) {
  auto name = each.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

const Pipeline& model() { return pipeline("random"); }

Request request_of(const char* name) { return make_request(model(), all_cases().at(name)); }

std::vector<std::uint8_t> pixels(const Request& request) { return model().generate(request).images.at(0).pixels; }

TEST(ImagePromptTest, PicturesOnPlainOperatorsEqualTheReference) {
  const auto plain = Pipeline::load(testing::random_model(), {.cpu_kernels = "reference"});
  for (const char* name : {"whole", "plus", "masks"}) {
    testing::expect_pictures(plain.generate(make_request(plain, all_cases().at(name))).images,
                             testing::recorded_images(kFolder, name));
  }
}

TEST(ImagePromptTest, ScaleZeroAndRemovalAreExact) {
  for (const char* name : {"whole", "plus", "masks"}) {
    auto request = request_of(name), without = request;
    without.image_prompts.clear();
    const auto base = pixels(without);
    EXPECT_NE(pixels(request), base) << name;
    request.image_prompts[0].scale = 0;
    EXPECT_EQ(pixels(request), base) << name;
    EXPECT_EQ(pixels(without), base) << name;
  }
}

TEST(ImagePromptTest, FourThreadsEqualTheSerialResultsBitForBit) {
  std::vector<Request> requests;
  std::vector<std::vector<std::uint8_t>> serial;
  for (const char* name : {"none", "whole", "plus", "masks"}) {
    requests.push_back(request_of(name));
    serial.push_back(pixels(requests.back()));
  }
  std::vector<std::future<std::vector<std::uint8_t>>> running;
  for (const auto& request : requests) {
    running.push_back(std::async(std::launch::async, [&request] { return pixels(request); }));
  }
  for (size_t i = 0; i < running.size(); ++i) EXPECT_EQ(running[i].get(), serial[i]) << i;
}

// A mask everywhere is none; the same pictures one by one with masks are the sum of two prompts.
TEST(ImagePromptTest, MasksOfTheWholePictureAreNone) {
  auto request = request_of("whole");
  const auto without = pixels(request);
  request.image_prompts[0].masks = {blob(64, 48, {0, 0, 64, 48})};
  EXPECT_EQ(pixels(request), without);
  request.image_prompts[0].masks = {blob(64, 48, {0, 0, 0, 0})};
  EXPECT_EQ(pixels(request), pixels(request_of("none")));
}

// Shortcuts that repeat what the text said repeat what the pictures said.
TEST(ImagePromptTest, WorksWithTheApproximations) {
  auto request = request_of("whole");
  request.steps = 4;
  const auto exact = pixels(request);
  request.approximation.text_gate = 0.5;
  request.approximation.cache_interval = 2;
  const auto near = pixels(request);
  EXPECT_NE(near, exact);
  request.image_prompts.clear();
  EXPECT_NE(near, pixels(request));
}

TEST(ImagePromptTest, AdaptersShareTheirEncoder) {
  const auto adapter = model().load_image_adapter(image_adapter_path("whole"));
  const auto again = model().load_image_adapter(image_adapter_path("plus"), image_encoder_folder() + "/");
  EXPECT_EQ(adapter.info().tokens, 4);
  EXPECT_EQ(adapter.info().image_size, 30);
  EXPECT_FALSE(adapter.info().fine);
  EXPECT_EQ(again.info().tokens, 5);
  EXPECT_TRUE(again.info().fine);
  EXPECT_EQ(model().load_image_adapter(image_adapter_path("full")).info().tokens, 26);
  EXPECT_EQ(adapter.info().layers, again.info().layers);
  EXPECT_GT(adapter.info().layers, 5);
  EXPECT_EQ(ImageAdapter().info().layers, 0);
}

TEST(ImagePromptTest, SurvivesItsPipeline) {
  ImagePrompt prompt;
  {
    const auto other = Pipeline::load(testing::random_model());
    prompt = make_prompt(other, all_cases().at("whole").at("prompts").at(0));
  }
  auto request = request_of("none");
  request.image_prompts = {prompt};
  const auto error = error_of([&] { model().generate(request); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("was loaded for another pipeline"));
}

struct BadPrompt {
  const char* name;
  void (*change)(ImagePrompt&);
  const char* message;
};

class BadImagePromptTest : public ::testing::TestWithParam<BadPrompt> {};

TEST_P(BadImagePromptTest, IsRefused) {
  auto request = request_of("masks");
  GetParam().change(request.image_prompts[0]);
  const auto error = error_of([&] { model().generate(request); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadImagePromptTest,
    ::testing::Values(
        BadPrompt{"empty", [](ImagePrompt& p) { p.adapter = {}; }, "adapter of an image prompt is empty"},
        BadPrompt{"no_picture", [](ImagePrompt& p) { p.images.clear(); }, "1 to 16 pictures, got 0"},
        BadPrompt{"many_pictures", [](ImagePrompt& p) { p.images.resize(17, p.images[0]); }, "got 17"},
        BadPrompt{"short_pixels", [](ImagePrompt& p) { p.images[0].pixels.pop_back(); }, "must have 9216 bytes"},
        BadPrompt{"no_size", [](ImagePrompt& p) { p.images[0].width = 0; }, "1 to 8192 pixels a side, got 0x48"},
        BadPrompt{"thread",
                  [](ImagePrompt& p) {
                    p.images[0] = {200, 2, std::vector<std::uint8_t>(1200)};
                  },
                  "64 times as long as short, got 200x2"},
        BadPrompt{"scale_nan", [](ImagePrompt& p) { p.scale = NAN; }, "must be from -100 to 100"},
        BadPrompt{"scale_large", [](ImagePrompt& p) { p.scale = 101; }, "must be from -100 to 100, got 101"},
        BadPrompt{"layer_scale", [](ImagePrompt& p) { p.layer_scales["mid"] = INFINITY; }, "must be from -100 to 100"},
        BadPrompt{"no_layer", [](ImagePrompt& p) { p.layer_scales["up_blocks.7"] = 1; },
                  "no layer of the U-Net that attends to text has \"up_blocks.7\""},
        BadPrompt{"masks", [](ImagePrompt& p) { p.masks.pop_back(); }, "one mask for each of its 2 pictures"},
        BadPrompt{"short_mask", [](ImagePrompt& p) { p.masks[0].values.pop_back(); }, "must have 2048 bytes"}),
    [](const auto& each) { return each.param.name; });

TEST(ImagePromptTest, TakesSixteen) {
  auto request = request_of("whole");
  request.image_prompts.resize(17, request.image_prompts[0]);
  EXPECT_THAT(error_of([&] { model().generate(request); }).what(), HasSubstr("at most 16 image prompts, got 17"));
}

}  // namespace
}  // namespace fjord
