// inspect() and the arrays of the public interface.
#include <fjord/inspect.h>

#include "support/error_of.h"
#include "support/temp_folder.h"

#include <gmock/gmock.h>

namespace fjord {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::Pair;

const std::string kTiny = FJORD_SOURCE_DIR "/weights/tiny";

const PartReport& part(const ModelReport& report, const std::string& name) {
  for (const auto& candidate : report.parts) {
    if (candidate.name == name) return candidate;
  }
  throw std::runtime_error("no part " + name);
}

TEST(InspectTest, PipelineFolderShowsEveryComponent) {
  const auto report = inspect(kTiny);
  EXPECT_EQ(report.kind, "pipeline folder");
  EXPECT_THAT(part(report, "pipeline").facts, Contains(Pair("_class_name", "StableDiffusionPipeline")));
  const auto& unet = part(report, "unet");
  EXPECT_THAT(unet.facts, Contains(Pair("cross_attention_dim", "128")));
  EXPECT_EQ(unet.tensors.size(), 324u);
  EXPECT_THAT(part(report, "scheduler").facts, Contains(Pair("prediction_type", "v_prediction")));
  EXPECT_TRUE(part(report, "scheduler").tensors.empty());
}

TEST(InspectTest, ComponentFolderAndFileShowTheSameTensors) {
  const auto folder = inspect(kTiny + "/unet");
  const auto file = inspect(kTiny + "/unet/diffusion_pytorch_model.safetensors");
  EXPECT_EQ(folder.kind, "component folder");
  EXPECT_EQ(file.kind, "safetensors file");
  ASSERT_EQ(folder.parts[0].tensors.size(), file.parts[0].tensors.size());
  const auto& first = file.parts[0].tensors[1];
  EXPECT_EQ(first.name, "conv_in.weight");
  EXPECT_EQ(first.dtype, "F16");
  EXPECT_THAT(first.shape, ElementsAre(64, 4, 3, 3));
}

TEST(InspectTest, WhatIsNoModelIsAnError) {
  const testing::TempFolder folder;
  EXPECT_EQ(error_of([&] { inspect(folder.path()); }).code(), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { inspect(folder.file("none")); }).code(), ErrorCode::kNotFound);
  folder.write("text", "hello, this is text");
  EXPECT_EQ(error_of([&] { inspect(folder.file("text")); }).code(), ErrorCode::kBadFile);
}

TEST(ArraysTest, AreReadAsWritten) {
  const testing::TempFolder folder;
  write_arrays(folder.file("a"), {{"x", {{2, 1}, {0.5F, -3.0F}}}, {"none", {{0}, {}}}});
  const auto arrays = read_arrays(folder.file("a"));
  EXPECT_THAT(arrays.at("x").shape, ElementsAre(2, 1));
  EXPECT_THAT(arrays.at("x").values, ElementsAre(0.5F, -3.0F));
  EXPECT_TRUE(arrays.at("none").values.empty());
  EXPECT_EQ(error_of([&] { write_arrays(folder.file("no/a"), {}); }).code(), ErrorCode::kCannotWrite);
  EXPECT_EQ(error_of([&] {
              write_arrays(folder.file("b"), {{"x", {{3}, {1.0F}}}});
            }).code(),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace fjord
