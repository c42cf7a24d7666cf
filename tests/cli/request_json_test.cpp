// Requests as JSON and back.
#include "cli/request_json.h"

#include <fjord/error.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <limits>

namespace fjord::cli {
namespace {

using Json = nlohmann::ordered_json;

Request full_request() {
  Request request;
  request.prompt = "a \"gold\" crown\nof \u5c71 \U0001f3d4";
  request.negative_prompt = "blur";
  request.width = 640;
  request.height = 384;
  request.steps = 31;
  request.guidance = 1.0 / 3.0;
  request.guidance_rescale = 0.7;
  request.seed = std::numeric_limits<std::uint64_t>::max();
  request.per_image_seeds = true;
  request.vae_tiling = true;
  request.images = 3;
  request.scheduler = "DDIMScheduler";
  request.scheduler_options = {{"eta", "0.5"}, {"timestep_spacing", "trailing"}};
  request.timesteps = {999, 500.25, 1};
  request.sigmas = {14.5, 1.25, 0};
  request.guidance_options = {{8, 2.5}, 3.5, 0.75, 2.25, 0.005, {"mid", "up_blocks.1"}, {0.9, 0.2, 1.2, 1.4}, 1.75};
  request.approximation = {0.125, 0.875, 2, 3, 4, 0.5, 0.25};
  return request;
}

ErrorCode code_of(const std::string& text) {
  try {
    request_from_json(Json::parse(text));
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error for " << text;
  return ErrorCode::kInternal;
}

TEST(RequestJsonTest, EveryFieldRoundTripsThroughText) {
  const Request request = full_request();
  const Request back = request_from_json(Json::parse(request_to_json(request).dump()));
  EXPECT_EQ(back.prompt, request.prompt);
  EXPECT_EQ(back.negative_prompt, request.negative_prompt);
  EXPECT_EQ(back.width, 640);
  EXPECT_EQ(back.height, 384);
  EXPECT_EQ(back.steps, 31);
  EXPECT_EQ(back.guidance, 1.0 / 3.0);
  EXPECT_EQ(back.guidance_rescale, 0.7);
  EXPECT_EQ(back.seed, request.seed);
  EXPECT_TRUE(back.per_image_seeds);
  EXPECT_TRUE(back.vae_tiling);
  EXPECT_EQ(back.images, 3);
  EXPECT_EQ(back.scheduler, "DDIMScheduler");
  EXPECT_EQ(back.scheduler_options, request.scheduler_options);
  EXPECT_EQ(back.timesteps, request.timesteps);
  EXPECT_EQ(back.sigmas, request.sigmas);
}

TEST(RequestJsonTest, EveryGuidanceOptionRoundTripsThroughText) {
  const Guidance back = request_from_json(Json::parse(request_to_json(full_request()).dump())).guidance_options;
  const Guidance wish = full_request().guidance_options;
  EXPECT_EQ(back.schedule, wish.schedule);
  EXPECT_EQ(back.mimic_scale, 3.5);
  EXPECT_EQ(back.mimic_percentile, 0.75);
  EXPECT_EQ(back.perturbed_scale, 2.25);
  EXPECT_EQ(back.perturbed_adaptive_scale, 0.005);
  EXPECT_EQ(back.perturbed_layers, wish.perturbed_layers);
  EXPECT_EQ(back.free_u.s1, 0.9);
  EXPECT_EQ(back.free_u.s2, 0.2);
  EXPECT_EQ(back.free_u.b1, 1.2);
  EXPECT_EQ(back.free_u.b2, 1.4);
  EXPECT_EQ(back.image_scale, 1.75);
}

TEST(RequestJsonTest, EveryApproximationRoundTripsThroughText) {
  const Approximation back = request_from_json(Json::parse(request_to_json(full_request()).dump())).approximation;
  EXPECT_EQ(back.guidance_begin, 0.125);
  EXPECT_EQ(back.guidance_end, 0.875);
  EXPECT_EQ(back.guidance_every, 2);
  EXPECT_EQ(back.cache_interval, 3);
  EXPECT_EQ(back.cache_branch, 4);
  EXPECT_EQ(back.text_gate, 0.5);
  EXPECT_EQ(back.merge_ratio, 0.25);
}

TEST(RequestJsonTest, PromptingAndSizesRoundTripThroughText) {
  Request request;
  request.prompting = {PromptSyntax::kA1111, "a gem", "a coin", 2, EmptyNegative::kEncode};
  request.micro.sizes = {1, 2, 3, 4, 5, 6};
  request.micro.negative_sizes = PictureSizes{7, 8, 9, 10, 11, 12};
  request.micro.aesthetic_score = 1.25;
  request.micro.negative_aesthetic_score = 9;
  request.range = {0.25, 0.75};
  request.reproduction = {NoiseSource::kTorchCuda, SigmaGrid::kComfyUi, PixelRounding::kTruncate};
  const auto json = Json::parse(request_to_json(request).dump());
  const Request back = request_from_json(json);
  EXPECT_EQ(back.prompting.syntax, PromptSyntax::kA1111);
  EXPECT_EQ(back.prompting.prompt_2, "a gem");
  EXPECT_EQ(back.prompting.negative_prompt_2, "a coin");
  EXPECT_EQ(back.prompting.clip_skip, 2);
  EXPECT_EQ(back.prompting.empty_negative, EmptyNegative::kEncode);
  EXPECT_EQ(back.micro.sizes.crop_top, 4);
  EXPECT_EQ(back.micro.negative_sizes.value().target_height, 12);
  EXPECT_EQ(back.micro.aesthetic_score, 1.25);
  EXPECT_EQ(back.micro.negative_aesthetic_score, 9);
  EXPECT_EQ(back.range.begin, 0.25);
  EXPECT_EQ(back.reproduction.noise, NoiseSource::kTorchCuda);
  EXPECT_EQ(back.reproduction.sigmas, SigmaGrid::kComfyUi);
  EXPECT_EQ(back.reproduction.rounding, PixelRounding::kTruncate);
  EXPECT_EQ(request_to_json(back), json);
  EXPECT_FALSE(request_from_json(request_to_json(Request())).micro.negative_sizes.has_value());
}

TEST(RequestJsonTest, AbsentFieldsKeepTheirDefaults) {
  const Request request = request_from_json(Json::object());
  EXPECT_EQ(request.width, 0);
  EXPECT_EQ(request.images, 1);
  EXPECT_EQ(request.guidance, std::nullopt);
  EXPECT_EQ(request.approximation.guidance_end, 1.0);
  EXPECT_EQ(request_from_json(Json::parse(R"({"guidance": null})")).guidance, std::nullopt);
  EXPECT_EQ(request_from_json(request_to_json(Request())).guidance, std::nullopt);
}

TEST(RequestJsonTest, WrongTypesAndRangesAreRefused) {
  for (const char* text : {"[]",
                           "3",
                           R"({"prompt": 3})",
                           R"({"width": 1.5})",
                           R"({"width": "64"})",
                           R"({"width": 2147483648})",
                           R"({"width": -2147483649})",
                           R"({"width": 18446744073709551615})",
                           R"({"seed": -1})",
                           R"({"seed": 1.0})",
                           R"({"seed": 18446744073709551616})",
                           R"({"per_image_seeds": 1})",
                           R"({"guidance": "7"})",
                           R"({"timesteps": 3})",
                           R"({"timesteps": ["a"]})",
                           R"({"scheduler_options": []})",
                           R"({"scheduler_options": {"eta": 1}})",
                           R"({"images": null})",
                           R"({"sigmas": "14"})",
                           R"({"guidance_options": []})",
                           R"({"guidance_options": {"mimic_scale": "3"}})",
                           R"({"guidance_options": {"perturbed_layers": ["mid"]}})",
                           R"({"approximation": 3})",
                           R"({"approximation": {"cache_interval": 1.5}})",
                           R"({"approximation": {"text_gate": "half"}})"}) {
    EXPECT_EQ(code_of(text), ErrorCode::kBadFile) << text;
  }
  EXPECT_EQ(code_of(R"({"widht": 64})"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of(R"({"prompting": {"syntax": "perl"}})"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of(R"({"reproduction": {"noise": "dice"}})"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of(R"({"micro": {"sizes": {"crop": 1}}})"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of(R"({"micro": {"sizes": {"crop_top": "1"}}})"), ErrorCode::kBadFile);
  EXPECT_EQ(code_of(R"({"approximation": {"turbo": 1}})"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of(R"({"guidance_options": {"turbo": 1}})"), ErrorCode::kUnsupported);
}

TEST(RequestJsonTest, TextThatIsNotUtf8IsRefused) {
  check_utf8("the prompt", "caf\u00e9");
  for (const char* text : {"\xff", "\xc3", "\xed\xa0\x80"}) EXPECT_THROW(check_utf8("the prompt", text), Error);
}

}  // namespace
}  // namespace fjord::cli
