// Whole pictures from single files: as diffusers' from_single_file makes them, and as the same weights in a folder.
#include <fjord/pipeline.h>

#include "loading/safetensors.h"
#include "loading/small_models.h"
#include "pipeline/request_cases.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

namespace fjord {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::small_model;
using testing::TempFolder;

const std::string kTiny = FJORD_SOURCE_DIR "/weights/tiny";

Request picture() {
  Request request;
  request.prompt = "a red gem";
  request.negative_prompt = "a blue coin";
  request.width = request.height = 64;
  request.steps = 3;
  request.guidance = 5.0;
  request.seed = 1;
  return request;
}

Image made(const std::string& path, const ModelFiles& files = {}) {
  LoadOptions options;
  options.files = files;
  return Pipeline::load(path, options).generate(picture()).images.at(0);
}

std::string written(const TempFolder& folder, const testing::Tensors& tensors) {
  loading::write_safetensors(folder.file("model.safetensors"), tensors);
  return folder.file("model.safetensors");
}

ModelFiles with_tokenizer() {
  ModelFiles files;
  files.tokenizer = kTiny;
  return files;
}

class SingleFilePictureTest : public ::testing::TestWithParam<const char*> {};

TEST_P(SingleFilePictureTest, EqualsTheReferencesWithinOneLevelAndTheFoldersExactly) {
  const TempFolder folder;
  const std::string name = GetParam();
  const auto image = made(written(folder, small_model(name).original), with_tokenizer());
  testing::expect_pictures({image}, testing::recorded_images("single_file", name));
  testing::write_small_folder(name, folder.file("folder"));
  EXPECT_EQ(made(folder.file("folder")).pixels, image.pixels);
}

INSTANTIATE_TEST_SUITE_P(Models, SingleFilePictureTest, ::testing::Values("sd1", "sd2", "sdxl"),
                         [](const auto& each) { return std::string(each.param); });

TEST(SingleFilePipelineTest, TellsWhatItAssumed) {
  const TempFolder folder;
  LoadOptions options;
  options.files = with_tokenizer();
  const auto path = written(folder, small_model("sd2").original);
  const auto notes = Pipeline::load(path, options).info().notes;
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes[0], HasSubstr("v_prediction is assumed"));
  options.files.prediction_type = "epsilon";
  EXPECT_TRUE(Pipeline::load(path, options).info().notes.empty());
}

TEST(SingleFilePipelineTest, AnotherVaeMakesAnotherPictureAndItsOwnTheSame) {
  const TempFolder folder;
  const auto path = written(folder, small_model("sd2").original);
  auto files = with_tokenizer();
  const auto image = made(path, files);
  files.vae = path;
  EXPECT_EQ(made(path, files).pixels, image.pixels);
  loading::write_safetensors(folder.file("vae"), small_model("sdxl").parts.at("vae"));
  files.vae = folder.file("vae");
  EXPECT_NE(made(path, files).pixels, image.pixels);
}

TEST(SingleFilePipelineTest, WeightsThatAreNotFiniteAreNamed) {
  const TempFolder folder;
  auto tensors = small_model("sd2").original;
  auto& bias = tensors.at("first_stage_model.decoder.conv_out.bias");
  bias = bias.clone();
  bias[1] = NAN;
  const auto error = error_of([&] { made(written(folder, tensors), with_tokenizer()); });
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_THAT(error.what(), HasSubstr("NaN or infinity in the tensor \"decoder.conv_out.bias\""));
}

TEST(SingleFilePipelineTest, MissingAndUnknownTensorsOfAPartAreListed) {
  const TempFolder folder;
  auto tensors = small_model("sd2").original;
  tensors.erase("model.diffusion_model.out.0.weight");
  tensors["model.diffusion_model.odd"] = at::zeros({1});
  const auto error = error_of([&] { made(written(folder, tensors), with_tokenizer()); });
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_THAT(error.what(), HasSubstr("1 missing: conv_norm_out.weight"));
  EXPECT_THAT(error.what(), HasSubstr("1 unexpected: \"odd\""));
}

TEST(SingleFilePipelineTest, NeedsATokenizer) {
  const TempFolder folder;
  const auto path = written(folder, small_model("sd2").original);
  EXPECT_THAT(error_of([&] { made(path); }).what(), HasSubstr("the model has no tokenizer"));
}

}  // namespace
}  // namespace fjord
