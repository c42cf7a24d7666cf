// fjord::convert: both ways bit by bit, what cannot be said in the other layout, and that nothing is left behind.
#include <fjord/convert.h>

#include "loading/checkpoint.h"
#include "loading/json_text.h"
#include "loading/safetensors.h"
#include "loading/small_models.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>

#include <filesystem>

namespace fjord {
namespace {

namespace fs = std::filesystem;
using loading::Safetensors;
using testing::error_of;
using ::testing::HasSubstr;
using testing::small_model;
using testing::TempFolder;
using testing::Tensors;

const std::string kTiny = FJORD_SOURCE_DIR "/weights/tiny";

Tensors tensors_in(const std::string& path) {
  const Safetensors file(loading::open_file(path));
  Tensors out;
  for (const auto& [name, entry] : file.tensors()) {
    auto tensor = at::empty(entry.shape, *entry.type);
    file.read_into(entry, name, tensor);
    out.emplace(name, tensor);
  }
  return out;
}

void expect_equal(const Tensors& got, const Tensors& expected) {
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(got.contains(name)) << name;
    EXPECT_TRUE(got.at(name).equal(tensor)) << name;
  }
  EXPECT_EQ(got.size(), expected.size());
}

std::string content(const std::string& path) {
  return loading::read_text(*loading::open_folder(fs::path(path).parent_path().string()),
                            fs::path(path).filename().string(), std::uint64_t{1} << 30);
}

class ConvertTest : public ::testing::TestWithParam<const char*> {
 protected:
  TempFolder folder_;
};

// The expected names were checked against diffusers' converters (tests/reference/single_file.py).
TEST_P(ConvertTest, AFolderBecomesTheFileThatDiffusersConvertersRead) {
  const std::string name = GetParam();
  testing::write_small_folder(name, folder_.file("folder"));
  const auto report = convert(folder_.file("folder"), folder_.file("file"));
  EXPECT_FALSE(report.is_folder);
  auto expected = small_model(name).original;
  if (name == "sd2") expected["v_pred"] = at::empty({0});
  expect_equal(tensors_in(folder_.file("file")), expected);
}

TEST_P(ConvertTest, ThereAndBackGivesTheSameBytes) {
  const std::string name = GetParam();
  testing::write_small_folder(name, folder_.file("folder"));
  convert(folder_.file("folder"), folder_.file("file"));
  ConvertOptions options;
  options.files.tokenizer = kTiny;
  const auto report = convert(folder_.file("file"), folder_.file("again"), options);
  EXPECT_TRUE(report.is_folder);
  for (const auto& [part, tensors] : small_model(name).parts) {
    const bool is_text = part.starts_with("text");
    const auto path =
        folder_.file("again/" + part + (is_text ? "/model" : "/diffusion_pytorch_model") + ".safetensors");
    Tensors expected;
    for (const auto& [key, tensor] : tensors) {
      const bool outside = !is_text || key.starts_with("text_projection");
      expected.emplace(outside ? key : "text_model." + key, tensor);
    }
    expect_equal(tensors_in(path), expected);
    EXPECT_TRUE(fs::exists(folder_.file("again/" + part + "/config.json")));
  }
  convert(folder_.file("again"), folder_.file("file again"));
  EXPECT_EQ(content(folder_.file("file again")), content(folder_.file("file")));
}

INSTANTIATE_TEST_SUITE_P(Models, ConvertTest, ::testing::Values("sd1", "sd2", "sdxl", "refiner"),
                         [](const auto& each) { return std::string(each.param); });

class ConvertOptionsTest : public ::testing::Test {
 protected:
  ConvertOptionsTest() {
    loading::write_safetensors(file_, small_model("sd1").original);
    options_.files.tokenizer = kTiny;
  }

  TempFolder folder_;
  const std::string file_ = folder_.file("model.safetensors");
  const std::string unet_ = "/unet/diffusion_pytorch_model";
  ConvertOptions options_;
};

TEST_F(ConvertOptionsTest, DtypeIsThatOfEveryTensor) {
  options_.precision = Precision::kBFloat16;
  convert(file_, folder_.file("out"), options_);
  for (const auto& [name, tensor] : tensors_in(folder_.file("out" + unet_ + ".safetensors"))) {
    EXPECT_TRUE(tensor.equal(small_model("sd1").parts.at("unet").at(name).to(at::kBFloat16))) << name;
  }
  options_.precision = Precision::kFloat16;
  options_.files.tokenizer.clear();
  convert(folder_.file("out"), folder_.file("half"), options_);
  for (const auto& [name, tensor] : tensors_in(folder_.file("half"))) {
    EXPECT_EQ(tensor.scalar_type(), at::kHalf) << name;
  }
}

TEST_F(ConvertOptionsTest, NumbersBeyondFloat16AreNoInfinity) {
  auto tensors = small_model("sd1").original;
  tensors["model.diffusion_model.out.2.bias"] = at::full({4}, 1e6F);
  loading::write_safetensors(file_, tensors);
  options_.precision = Precision::kFloat16;
  const auto error = error_of([&] { convert(file_, folder_.file("out"), options_); });
  EXPECT_EQ(error.code(), ErrorCode::kNonFinite);
  EXPECT_THAT(error.what(), HasSubstr("conv_out.bias"));
  EXPECT_FALSE(fs::exists(folder_.file("out")));
}

TEST_F(ConvertOptionsTest, ShardsAreReadAsOne) {
  options_.shard_size = 500000;
  convert(file_, folder_.file("out"), options_);
  EXPECT_FALSE(fs::exists(folder_.file("out" + unet_ + ".safetensors")));
  const loading::Checkpoint checkpoint(*loading::open_folder(folder_.file("out")), "unet", "diffusion_pytorch_model");
  EXPECT_GT(checkpoint.files().size(), 1u);
  EXPECT_EQ(checkpoint.names().size(), small_model("sd1").parts.at("unet").size());
  EXPECT_EQ(error_of([&] { convert(folder_.file("out"), folder_.file("a"), options_); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST_F(ConvertOptionsTest, FailuresLeaveNothingBehind) {
  options_.progress = [](std::uint64_t done, std::uint64_t total) { return done < total / 2; };
  EXPECT_EQ(error_of([&] { convert(file_, folder_.file("out"), options_); }).code(), ErrorCode::kCancelled);
  testing::write_small_folder("sd1", folder_.file("folder"));
  EXPECT_EQ(error_of([&] { convert(folder_.file("folder"), folder_.file("out"), options_); }).code(),
            ErrorCode::kCancelled);
  options_.progress = {};
  EXPECT_EQ(error_of([&] { convert(folder_.file("none"), folder_.file("out"), options_); }).code(),
            ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { convert(file_, folder_.file("no/such/place"), options_); }).code(), ErrorCode::kCannotWrite);
  options_.files.tokenizer.clear();
  EXPECT_THAT(error_of([&] { convert(file_, folder_.file("out"), options_); }).what(), HasSubstr("has no tokenizer"));
  size_t left = 0;
  for (const auto& entry : fs::directory_iterator(folder_.path())) left += entry.exists();
  EXPECT_EQ(left, 2u) << "the file and the folder";
  EXPECT_EQ(error_of([&] { convert(folder_.file("folder"), file_); }).code(), ErrorCode::kCannotWrite);
}

TEST_F(ConvertOptionsTest, AFileWithMissingTensorsIsNotWritten) {
  auto tensors = small_model("sd1").original;
  tensors.erase("model.diffusion_model.out.2.bias");
  tensors["model.diffusion_model.out.3.bias"] = at::full({4}, 1.0F);
  loading::write_safetensors(file_, tensors);
  const std::string text = error_of([&] { convert(file_, folder_.file("out"), options_); }).what();
  EXPECT_THAT(text, HasSubstr("1 missing: conv_out.bias"));
  EXPECT_THAT(text, HasSubstr("out.3.bias"));
}

TEST_F(ConvertOptionsTest, WhatTheOtherLayoutCannotSayIsRefusedByName) {
  const auto error = error_of([&] { convert(kTiny, folder_.file("out")); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(), HasSubstr("cannot say what this model has for attention_head_dim"));
  testing::write_small_folder("sd1", folder_.file("folder"));
  const auto path = folder_.file("folder/scheduler/scheduler_config.json");
  auto scheduler = loading::parse_json_object(content(path), path);
  scheduler["beta_end"] = 0.02;
  folder_.write("folder/scheduler/scheduler_config.json", scheduler.dump());
  EXPECT_THAT(error_of([&] { convert(folder_.file("folder"), folder_.file("out")); }).what(),
              HasSubstr("cannot say that beta_end is 0.02"));
}

}  // namespace
}  // namespace fjord
