// Whole pictures of every family of pipelines against diffusers' classes, and what each refuses.
// Expected values: tests/reference/families.py.
#include "core/random.h"
#include "core/tensors.h"
#include "pipeline/request_cases.h"
#include "pipeline/test_models.h"
#include "support/error_of.h"

#include <fjord/pipeline.h>

namespace fjord {
namespace {

using testing::family_pipeline;
using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kFolder[] = "families";

const Json& all_cases() {
  static const auto cases = testing::read_cases(kFolder);
  return cases;
}

PictureSizes make_sizes(const Json& json) {
  const auto at = [&](const char* key, int i) { return json.at(key).at(static_cast<size_t>(i)).get<int>(); };
  return {at("original_size", 0), at("original_size", 1), at("crop", 0),
          at("crop", 1),          at("target_size", 0),   at("target_size", 1)};
}

Request make_request(const Json& json) {
  auto request = testing::make_request(json);
  request.prompting.prompt_2 = json.value("prompt_2", "");
  request.prompting.negative_prompt_2 = json.value("negative_prompt_2", "");
  request.prompting.clip_skip = json.value("clip_skip", 0);
  if (json.contains("sizes")) request.micro.sizes = make_sizes(json.at("sizes"));
  if (json.contains("negative_sizes")) request.micro.negative_sizes = make_sizes(json.at("negative_sizes"));
  if (json.contains("scores")) {
    request.micro.aesthetic_score = json.at("scores").at(0).get<double>();
    request.micro.negative_aesthetic_score = json.at("scores").at(1).get<double>();
  }
  request.range = {json.value("begin", 0.0), json.value("end", 1.0)};
  if (request.range.begin > 0) {
    request.latents = to_array(NoiseStream(request.seed).draw({1, 4, request.height / 8, request.width / 8}));
  }
  return request;
}

class FamilyParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(FamilyParityTest, PicturesMatchReference) {
  const auto& name = GetParam();
  const auto& model = family_pipeline(name.substr(0, name.find('.')));
  testing::expect_pictures(model.generate(make_request(all_cases().at(name))).images,
                           testing::recorded_images(kFolder, name));
}

INSTANTIATE_TEST_SUITE_P(Cases, FamilyParityTest, ::testing::ValuesIn(testing::case_names(all_cases())),
                         [](const auto& each) {
                           auto name = each.param;
                           name[name.find('.')] = '_';
                           return name;
                         });

Request small_request() { return make_request(all_cases().at("sdxl.plain")); }

template <typename Change>
Error error_of(const std::string& model, Change&& change) {
  auto request = small_request();
  change(request);
  return testing::error_of([&] { family_pipeline(model).generate(request); });
}

TEST(FamilyTest, TellsDefaultsOfTheClass) {
  const auto& two = family_pipeline("sdxl").info();
  EXPECT_EQ(two.pipeline, "StableDiffusionXLPipeline");
  EXPECT_EQ(two.guidance, 5.0);
  EXPECT_EQ(two.text_encoders, 2);
  EXPECT_EQ(two.max_clip_skip, 1);
  EXPECT_TRUE(two.size_conditions);
  EXPECT_FALSE(two.aesthetic_score);
  EXPECT_TRUE(family_pipeline("refiner").info().aesthetic_score);
  EXPECT_EQ(family_pipeline("refiner").info().text_encoders, 1);
  EXPECT_FALSE(family_pipeline("sd2").info().size_conditions);
}

TEST(FamilyTest, WhatAModelDoesNotKnowIsRefused) {
  const auto expect = [](const char* model, const char* message, auto&& change) {
    const auto error = error_of(model, change);
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr(message));
  };
  expect("sd2", "two text encoders, and this one has 1", [](Request& r) { r.prompting.prompt_2 = "a coin"; });
  expect("sd2", "sizes and aesthetic scores", [](Request& r) { r.micro.sizes.crop_left = 1; });
  expect("sd2", "empty_negative", [](Request& r) { r.prompting.empty_negative = EmptyNegative::kZeros; });
  expect("sdxl", "clip_skip must be from 0 to 1, got 2", [](Request& r) { r.prompting.clip_skip = 2; });
  expect("sdxl", "crop_top must be from 0", [](Request& r) { r.micro.sizes.crop_top = -1; });
  expect("sdxl", "aesthetic_score must be from 0 to 10", [](Request& r) { r.micro.aesthetic_score = 11; });
  expect("sdxl", "denoising range must lie", [](Request& r) { r.range = {0.5, 0.5}; });
  expect("sdxl", "holds none of the 3 steps", [](Request& r) { r.range.begin = 0.99999; });
  expect("sdxl", "needs latents", [](Request& r) { r.range.begin = 0.5; });
}

TEST(FamilyTest, EncodedPromptsGiveTheSamePicture) {
  auto request = small_request();
  request.prompting.prompt_2 = "a red gem";
  request.negative_prompt = "a coin";
  const auto expected = family_pipeline("sdxl").generate(request).images.at(0).pixels;
  auto given = small_request();
  given.embeddings = family_pipeline("sdxl").encode_prompt(request.prompt, request.negative_prompt, request.prompting);
  EXPECT_EQ(given.embeddings.pooled_positive.shape, (std::vector<std::int64_t>{1, 20}));
  EXPECT_EQ(family_pipeline("sdxl").generate(given).images.at(0).pixels, expected);
  const auto error = error_of("sdxl", [&](Request& r) {
    r.embeddings = given.embeddings;
    r.embeddings.pooled_positive = {};
  });
  EXPECT_THAT(error.what(), HasSubstr("embeddings.pooled_positive must be given"));
}

TEST(FamilyTest, AnEmptyNegativeIsEncodedWhereTheRequestSaysSo) {
  auto request = small_request();
  const auto zeros = family_pipeline("sdxl").generate(request).images.at(0).pixels;
  request.prompting.empty_negative = EmptyNegative::kEncode;
  EXPECT_NE(family_pipeline("sdxl").generate(request).images.at(0).pixels, zeros);
  request.prompting.empty_negative = EmptyNegative::kZeros;
  EXPECT_EQ(family_pipeline("sdxl").generate(request).images.at(0).pixels, zeros);
}

// Walking a part with one pipeline object and the rest with another is the whole way.
TEST(FamilyTest, TwoPartsMakeTheWhole) {
  auto request = make_request(all_cases().at("sdxl.first_part"));
  request.range = {};
  const auto whole = family_pipeline("sdxl").generate(request).images.at(0).pixels;
  request.range.end = 0.6;
  request.decode = false;
  const auto half = family_pipeline("sdxl").generate(request);
  request.latents = half.latents;
  request.range = {0.6, 1.0};
  request.decode = true;
  EXPECT_EQ(family_pipeline("sdxl").generate(request).images.at(0).pixels, whole);
}

TEST(FamilyTest, APreviewComesFromTheSmallAutoencoder) {
  LoadOptions options;
  options.preview_vae = testing::family_model("tiny_vae") + "/vae";
  const auto with = Pipeline::load(testing::family_model("sdxl"), options);
  auto request = small_request();
  auto generation = with.start(request);
  auto plain = family_pipeline("sdxl").start(request);
  generation.advance();
  plain.advance();
  EXPECT_EQ(generation.preview().at(0).width, request.width);
  EXPECT_NE(generation.preview().at(0).pixels, plain.preview().at(0).pixels);
  EXPECT_EQ(generation.finish().images.at(0).pixels, plain.finish().images.at(0).pixels);
}

}  // namespace
}  // namespace fjord
