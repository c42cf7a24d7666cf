#include <fjord/attention.h>

#include "support/error_of.h"
#include "support/temp_folder.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <map>

namespace fjord {
namespace {

// The configurations of published models, from tests/data/keys.
std::string model_folder(const testing::TempFolder& folder, const std::string& unet, const std::string& vae) {
  const std::string keys = std::string(FJORD_TEST_DATA) + "/keys/";
  for (const auto& [part, file] : std::map<std::string, std::string>{{"unet", unet}, {"vae", vae}}) {
    std::filesystem::create_directories(folder.file(part));
    std::filesystem::copy_file(keys + file + ".json", folder.file(part + "/config.json"));
  }
  return folder.path();
}

std::map<std::string, int> kernel_counts(const std::vector<AttentionLayer>& layers) {
  std::map<std::string, int> counts;
  for (const auto& layer : layers) ++counts[layer.kernel];
  return counts;
}

// Stable Diffusion 1.5 has 16 transformer blocks of two attentions; the VAE one attention of size 512.
TEST(AttentionReportTest, NamesEveryLayerOfAModelWithItsShape) {
  const testing::TempFolder folder;
  const AttentionQuery query{.model = model_folder(folder, "unet_sd15", "vae_sd15"), .gpu = "sm_80"};
  const auto layers = attention_layers(query);
  ASSERT_EQ(layers.size(), 33U);
  EXPECT_EQ(kernel_counts(layers), (std::map<std::string, int>{{"own", 32}, {"chunked", 1}}));
  EXPECT_EQ(layers[0].name, "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1");
  EXPECT_EQ((std::vector<int>{layers[0].batch, layers[0].heads, layers[0].head_dim, layers[0].queries, layers[0].keys}),
            (std::vector<int>{2, 8, 40, 4096, 4096}));
  EXPECT_EQ(layers[1].keys, 77);
  EXPECT_EQ(layers[12].name, "unet.mid_block.attentions.0.transformer_blocks.0.attn1");
  EXPECT_EQ(layers[12].queries, 64);
  EXPECT_EQ(layers[14].name, "unet.up_blocks.1.attentions.0.transformer_blocks.0.attn1");
  EXPECT_EQ(layers[14].queries, 256);
  EXPECT_EQ(layers[32].head_dim, 512);
  for (const auto& layer : layers) EXPECT_EQ(layer.refused.size(), 6U);
}

// 70 transformer blocks, heads of 64, at 1024x1024 and here at a size that does not halve evenly.
TEST(AttentionReportTest, FollowsDepthAndSize) {
  const testing::TempFolder folder;
  AttentionQuery query{.model = model_folder(folder, "unet_sdxl", "vae_sdxl"), .gpu = "9.0", .width = 1000};
  query.height = 1024;
  const auto layers = attention_layers(query);
  ASSERT_EQ(layers.size(), 141U);
  EXPECT_EQ(kernel_counts(layers), (std::map<std::string, int>{{"own", 70}, {"cudnn", 70}, {"chunked", 1}}));
  EXPECT_EQ(layers[0].queries, 63 * 64);
  EXPECT_EQ(layers[10].queries, 32 * 32);
}

TEST(AttentionReportTest, RefusesWhatCannotBe) {
  const testing::TempFolder folder;
  AttentionQuery query{.model = model_folder(folder, "unet_sd15", "vae_sd15"), .gpu = "sm_80"};
  query.attention = "own-hopper";
  EXPECT_EQ(testing::error_of([&] { attention_layers(query); }).code(), ErrorCode::kUnsupported);
  query.attention = "xformers";
  EXPECT_EQ(testing::error_of([&] { attention_layers(query); }).code(), ErrorCode::kInvalidArgument);
  query.attention = "math";
  EXPECT_EQ(kernel_counts(attention_layers(query)), (std::map<std::string, int>{{"math", 32}, {"chunked", 1}}));
  query.gpu = "fast";
  EXPECT_EQ(testing::error_of([&] { attention_layers(query); }).code(), ErrorCode::kInvalidArgument);
  query.gpu = "sm_80";
  query.width = 9000;
  EXPECT_EQ(testing::error_of([&] { attention_layers(query); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(testing::error_of([] { attention_layers({.model = "/nowhere", .gpu = "sm_80"}); }).code(),
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace fjord
