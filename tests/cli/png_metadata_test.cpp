// The record of a picture in its text chunks.
#include "cli/png_metadata.h"

#include <fjord/error.h>

#include <gtest/gtest.h>

namespace fjord::cli {
namespace {

PictureRecord record() {
  PictureRecord out;
  out.version = "0.1.0";
  out.model = "weights/tiny/";
  out.model_fingerprint = "0123456789abcdef";
  out.dtype = "bfloat16";
  out.device = "cpu";
  out.threads = 2;
  out.request.prompt = "a gold crown";
  out.request.width = 64;
  out.request.height = 32;
  out.request.steps = 20;
  out.request.guidance = 7.5;
  out.request.seed = 18446744073709551615u;
  out.request.scheduler = "DDIMScheduler";
  return out;
}

ErrorCode code_of(const PngText& text) {
  try {
    record_from_png_text(text, "a.png");
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ErrorCode::kInternal;
}

TEST(PngMetadataTest, ParametersTextHasTheUsualForm) {
  EXPECT_EQ(parameters_text(record()),
            "a gold crown\nSteps: 20, Sampler: DDIM, CFG scale: 7.5, Seed: 18446744073709551615, Size: 64x32, "
            "Model: tiny, Version: fjord 0.1.0");
}

TEST(PngMetadataTest, ParametersTextTellsOptionsAndThePlaceInTheBatch) {
  PictureRecord picture = record();
  picture.image_index = 1;
  picture.request.images = 3;
  picture.request.negative_prompt = "blur";
  picture.request.guidance_rescale = 0.7;
  picture.request.scheduler = "Scheduler";
  picture.request.scheduler_options = {{"eta", "0.5"}, {"trained_betas", "[0.1, 0.2]"}};
  picture.model = "/";
  EXPECT_EQ(parameters_text(picture),
            "a gold crown\nNegative prompt: blur\nSteps: 20, Sampler: Scheduler, CFG scale: 7.5, "
            "Seed: 18446744073709551615, Size: 64x32, Model: , CFG rescale: 0.7, eta: 0.5, "
            "trained_betas: \"[0.1, 0.2]\", Batch size: 3, Batch pos: 1, Version: fjord 0.1.0");
  picture.request.per_image_seeds = true;
  picture.request.seed = 10;
  EXPECT_NE(parameters_text(picture).find("Seed: 11,"), std::string::npos);
}

TEST(PngMetadataTest, ParametersTextTellsApproximations) {
  PictureRecord picture = record();
  picture.request.approximation.guidance_end = 0.8;
  picture.request.approximation.cache_interval = 3;
  picture.request.approximation.merge_ratio = 0.5;
  EXPECT_NE(parameters_text(picture).find(
                ", Guidance end: 0.8, DeepCache interval: 3, DeepCache branch: 0, Token merging ratio: 0.5, Version"),
            std::string::npos)
      << parameters_text(picture);
}

TEST(PngMetadataTest, RecordRoundTrips) {
  PictureRecord picture = record();
  picture.image_index = 2;
  picture.request.images = 3;
  picture.latents = "noise.safetensors";
  picture.latents_fingerprint = "fedcba9876543210";
  picture.request.guess_mode = true;
  picture.controls = {{{"net", "0a"}, {"seen.png", "0b"}, 0.5, 0.25, 0.75}, {{"other", "0c"}, {}, 2, 0, 1}};
  const PictureRecord back = record_from_png_text(to_png_text(picture), "a.png");
  ASSERT_EQ(back.controls.size(), 2U);
  EXPECT_EQ(back.controls[0].model.path, "net");
  EXPECT_EQ(back.controls[0].picture.fingerprint, "0b");
  EXPECT_EQ(back.controls[0].begin, 0.25);
  EXPECT_EQ(back.controls[0].end, 0.75);
  EXPECT_EQ(back.controls[1].picture.path, "");
  EXPECT_EQ(back.controls[1].scale, 2);
  EXPECT_TRUE(back.request.guess_mode);
  EXPECT_EQ(back.version, "0.1.0");
  EXPECT_EQ(back.model, picture.model);
  EXPECT_EQ(back.model_fingerprint, picture.model_fingerprint);
  EXPECT_EQ(back.dtype, "bfloat16");
  EXPECT_EQ(back.device, "cpu");
  EXPECT_EQ(back.threads, 2);
  EXPECT_EQ(back.image_index, 2);
  EXPECT_EQ(back.latents, picture.latents);
  EXPECT_EQ(back.latents_fingerprint, picture.latents_fingerprint);
  EXPECT_EQ(back.request.seed, 18446744073709551615u);
  EXPECT_EQ(back.request.prompt, "a gold crown");
  EXPECT_EQ(to_png_text(back), to_png_text(picture));
}

TEST(PngMetadataTest, PathsThatAreNotUtf8DoNotSpoilTheRecord) {
  PictureRecord picture = record();
  picture.model = "models/\xff";
  EXPECT_EQ(record_from_png_text(to_png_text(picture), "a.png").model, "models/\ufffd");
}

TEST(PngMetadataTest, DamagedOrForeignRecordsAreRefused) {
  EXPECT_EQ(code_of({}), ErrorCode::kBadFile);
  EXPECT_EQ(code_of({{"parameters", "a cup\nSteps: 20"}}), ErrorCode::kBadFile);
  for (const char* text :
       {"", "{", "[]", "{\"format\": 1}", "{\"format\": \"1\"}", "{\"format\": 1, \"request\": 3}",
        "{\"format\": 1, \"image_index\": 1, \"request\": {}}", "{\"format\": 1, \"image_index\": -1, \"request\": {}}",
        "{\"format\": 1, \"model\": \"x\", \"request\": {}}"}) {
    EXPECT_EQ(code_of({{"fjord", text}}), ErrorCode::kBadFile) << text;
  }
  EXPECT_EQ(code_of({{"fjord", "{\"format\": 2, \"request\": {}}"}}), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of({{"fjord", "{\"request\": {}}"}}), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of({{"fjord", "{\"format\": 1, \"request\": {}, \"lora\": []}"}}), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of({{"fjord", "{\"format\": 1, \"request\": {}, \"controls\": [{}]}"}}), ErrorCode::kBadFile);
  EXPECT_EQ(code_of({{"fjord", std::string(1 << 20, '[')}}), ErrorCode::kBadFile);
}

}  // namespace
}  // namespace fjord::cli
