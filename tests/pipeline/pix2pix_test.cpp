// Models that change a picture as the prompt says against diffusers: every byte of every picture, and what they refuse.
// Expected values: tests/reference/pix2pix.py.
#include "pipeline/task_cases.h"
#include "pipeline/test_models.h"
#include "support/error_of.h"

#include <gmock/gmock.h>

namespace fjord {
namespace {

using testing::blob;
using testing::blotches;
using ::testing::HasSubstr;

constexpr char kFolder[] = "pix2pix";

const nlohmann::json& all_cases() {
  static const auto cases = testing::read_cases(kFolder);
  return cases;
}

const Pipeline& pipeline(const std::string& model) {
  static const auto one = Pipeline::load(testing::seeded_model("pix2pix/one_text"));
  static const auto two = Pipeline::load(testing::seeded_model("pix2pix/two_texts"));
  return model == "one_text" ? one : two;
}

Request make_request(const nlohmann::json& json) {
  auto request = testing::make_task_request(json);
  request.guidance_options.image_scale = json.value("image_scale", 1.5);
  return request;
}

class Pix2PixParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(Pix2PixParityTest, PicturesMatchReference) {
  const auto& json = all_cases().at(GetParam());
  testing::expect_pictures(pipeline(json.at("model")).generate(make_request(json)).images,
                           testing::recorded_images(kFolder, GetParam()));
}

// What the comparison above is worth: with other pictures to change it would fail.
TEST_P(Pix2PixParityTest, PicturesWouldTellBlindness) {
  const auto& json = all_cases().at(GetParam());
  auto request = make_request(json);
  for (auto& image : request.image_input.images) image = blotches(image.width, image.height, 77);
  const auto images = pipeline(json.at("model")).generate(request).images;
  EXPECT_GE(testing::mean_difference(images, testing::recorded_images(kFolder, GetParam())), 1.0);
}

INSTANTIATE_TEST_SUITE_P(Cases, Pix2PixParityTest, ::testing::ValuesIn(testing::case_names(all_cases())),
                         [](const auto& each) { return each.param; });

Request good_request() { return make_request(all_cases().at("plain")); }

TEST(Pix2PixTest, TheModelSaysThatItNeedsAPicture) {
  const auto& info = pipeline("one_text").info();
  EXPECT_TRUE(info.needs_image);
  EXPECT_FALSE(info.needs_mask);
  EXPECT_EQ(info.steps, 100);
  EXPECT_EQ(pipeline("two_texts").info().pipeline, "StableDiffusionXLInstructPix2PixPipeline");
  EXPECT_FALSE(testing::family_pipeline("sdxl").info().needs_image);
}

TEST(Pix2PixTest, TheResultsRequestGivesTheSamePicture) {
  const auto first = pipeline("one_text").generate(good_request());
  EXPECT_EQ(first.request.image_input.strength, 1.0);
  EXPECT_EQ(pipeline("one_text").generate(first.request).images.at(0).pixels, first.images.at(0).pixels);
}

// Outside the interval nothing is guided: with an empty one the picture is that of guidance 1.
TEST(Pix2PixTest, AnEmptyIntervalOfGuidanceIsNoGuidance) {
  auto request = good_request();
  request.approximation.guidance_begin = request.approximation.guidance_end = 0.5;
  const auto outside = pipeline("one_text").generate(request).images.at(0).pixels;
  request = good_request();
  EXPECT_NE(pipeline("one_text").generate(request).images.at(0).pixels, outside);
  request.guidance = 1;
  EXPECT_EQ(pipeline("one_text").generate(request).images.at(0).pixels, outside);
}

TEST(Pix2PixTest, TheMemoryPlanCountsThreeBranches) {
  auto request = good_request();
  const auto& model = pipeline("one_text");
  const auto guided = model.plan(request).denoising;
  request.guidance = 1;
  EXPECT_GT(guided, 2 * model.plan(request).denoising);
}

struct Refusal {
  const char* name;
  void (*change)(Request&);
  const char* message;
};

class Pix2PixRefusalTest : public ::testing::TestWithParam<Refusal> {};

TEST_P(Pix2PixRefusalTest, SaysOneSentence) {
  auto request = good_request();
  GetParam().change(request);
  const auto error = testing::error_of([&] { pipeline("one_text").generate(request); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, Pix2PixRefusalTest,
    ::testing::Values(
        Refusal{"no_picture", [](Request& r) { r.image_input.images.clear(); }, "needs one in image_input.images"},
        Refusal{"mask",
                [](Request& r) {
                  r.image_input.inpaint.mask = blob(64, 48, {0, 0, 9, 9});
                },
                "takes no mask"},
        Refusal{"strength", [](Request& r) { r.image_input.strength = 0.5; }, "strength must be 1 or unset, got 0.5"},
        Refusal{"hires", [](Request& r) { r.hires.scale = 2; }, "not for models that change pictures"},
        Refusal{"perturbed", [](Request& r) { r.guidance_options.perturbed_scale = 2; }, "cannot be combined"},
        Refusal{"mimic", [](Request& r) { r.guidance_options.mimic_scale = 2; }, "cannot be combined"},
        Refusal{"gate", [](Request& r) { r.approximation.text_gate = 0.5; }, "cannot be combined"},
        Refusal{"every", [](Request& r) { r.approximation.guidance_every = 2; }, "cannot be combined"},
        Refusal{"image_scale", [](Request& r) { r.guidance_options.image_scale = -1; }, "image_scale must be from 0"}),
    [](const auto& each) { return each.param.name; });

// Deep features are kept for all three branches: what is reused belongs to its own.
TEST(Pix2PixTest, DeepCacheIsNearTheExactPicture) {
  auto request = good_request();
  request.steps = 8;
  const auto exact = pipeline("one_text").generate(request).images.at(0);
  request.approximation.cache_interval = 2;
  const auto cached = pipeline("one_text").generate(request).images.at(0);
  request.approximation.cache_interval = 1;
  request.guidance = 1;
  const auto unguided = pipeline("one_text").generate(request).images.at(0);
  const auto expected = at::tensor(exact.pixels).reshape({1, exact.height, exact.width, 3});
  const auto distance = [&](const Image& image) { return testing::mean_difference({image}, expected); };
  EXPECT_NE(cached.pixels, exact.pixels);
  EXPECT_LT(distance(cached), distance(unguided));
}

}  // namespace
}  // namespace fjord
