// Adapter files that do not fit: one clear sentence each, and nothing of them is used.
#include "adapters/read_file.h"

#include "core/check.h"
#include "loading/safetensors.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>

namespace fjord::testing {
namespace {

using adapters::NetworkLayers;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Tensors = std::map<std::string, at::Tensor>;

constexpr char kLayer[] = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
constexpr char kConv[] = "lora_unet_mid_block_resnets_0_conv1";

config::UNet small_config() {
  config::UNet config;
  config.block_out_channels = {32, 32, 32, 32};
  config.norm_num_groups = 8;
  config.cross_attention_dim = {16, 16, 16, 16};
  return config;
}

const NetworkLayers& layers() {
  static const auto out = NetworkLayers::of_unet(small_config());
  return out;
}

Tensors good() {
  const std::string layer = kLayer;
  return {{layer + ".lora_down.weight", at::randn({2, 32})}, {layer + ".lora_up.weight", at::randn({32, 2})}};
}

Tensors with(Tensors tensors, const std::string& name, const at::Tensor& tensor) {
  tensors[name] = tensor;
  return tensors;
}

adapters::Changes read(const Tensors& tensors) {
  const TempFolder folder;
  loading::write_safetensors(folder.file("style.safetensors"), tensors);
  return adapters::read_adapter_file(folder.file("style.safetensors"), {&layers()});
}

Error refusal(const Tensors& tensors) {
  return error_of([&] { read(tensors); });
}

TEST(AdapterFileTest, MissingAlphaMeansTheRank) {
  EXPECT_DOUBLE_EQ(read(good())[0].at(0).factors.scale, 1.0);
  const auto name = std::string(kLayer) + ".alpha";
  EXPECT_DOUBLE_EQ(read(with(good(), name, at::scalar_tensor(3.0)))[0].at(0).factors.scale, 1.5);
}

TEST(AdapterFileTest, UnknownKeysAreListed) {
  auto tensors = with(good(), "lora_unet_nowhere.lora_down.weight", at::randn({2, 32}));
  tensors["something.else"] = at::randn({1});
  const auto error = refusal(tensors);
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("2 of its 4 keys"), HasSubstr("lora_unet_nowhere.lora_down.weight"),
                                  HasSubstr("something.else")));
}

TEST(AdapterFileTest, NothingOfAFileOfUnknownKeysIsUsed) {
  auto tensors = good();
  for (int i = 0; i < 198; ++i) tensors["junk." + std::to_string(i)] = at::zeros({1});
  const auto error = refusal(tensors);
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("198 of its 200 keys"), HasSubstr("junk.0")));
  EXPECT_LT(std::string(error.what()).size(), 4000u) << "one sentence, not a list of all";
}

TEST(AdapterFileTest, FileOfAnotherFamilyIsRefused) {
  const auto error = refusal({{"lora_unet_input_blocks_99_1_proj_in.lora_down.weight", at::randn({2, 32})}});
  EXPECT_THAT(error.what(), HasSubstr("another family"));
  const auto second =
      refusal(with(good(), "lora_te2_text_model_encoder_layers_0_mlp_fc1.alpha", at::scalar_tensor(1.0)));
  EXPECT_THAT(second.what(), HasSubstr("lora_te2_text_model_encoder_layers_0_mlp_fc1.alpha"));
}

TEST(AdapterFileTest, FilesOfOtherKindsAreNamed) {
  for (const auto& [key, kind] : std::map<std::string, std::string>{
           {"control_model.input_hint_block.0.weight", "ControlNet"},
           {"model.diffusion_model.out.2.weight", "whole checkpoint"},
           {"first_stage_model.decoder.conv_in.weight", "whole checkpoint"},
           {"image_proj.norm.weight", "IP-Adapter"},
           {"lora_transformer_single_transformer_blocks_0_attn_to_q.lora_down.weight", "Flux"},
           {"emb_params", "textual inversion"}}) {
    const auto error = refusal({{key, at::randn({2, 2})}});
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported) << key;
    EXPECT_THAT(error.what(), HasSubstr(kind));
  }
}

TEST(AdapterFileTest, NamesThatLeadOutAreUnknownKeys) {
  const auto error = refusal(with(good(), "unet.../../etc/passwd.lora_A.weight", at::randn({2, 32})));
  EXPECT_THAT(error.what(), AllOf(HasSubstr("1 of its 3 keys"), HasSubstr("etc/passwd")));
  const std::string endless(200000, '.');
  EXPECT_THAT(refusal(with(good(), endless, at::randn({1}))).what(), HasSubstr("1 of its 3 keys"));
}

TEST(AdapterFileTest, MissingHalfIsRefused) {
  auto tensors = good();
  tensors.erase(std::string(kLayer) + ".lora_up.weight");
  EXPECT_THAT(refusal(tensors).what(), AllOf(HasSubstr("attn1.to_q"), HasSubstr("down"), HasSubstr("no whole change")));
  EXPECT_THAT(refusal({{std::string(kLayer) + ".alpha", at::scalar_tensor(1.0)}}).what(), HasSubstr("no factors"));
  tensors = good();
  tensors[std::string(kLayer) + ".hada_w1_a"] = at::randn({32, 2});
  EXPECT_THAT(refusal(tensors).what(), HasSubstr("no whole change"));
}

TEST(AdapterFileTest, RankZeroIsRefused) {
  const std::string layer = kLayer;
  const auto error =
      refusal({{layer + ".lora_down.weight", at::zeros({0, 32})}, {layer + ".lora_up.weight", at::zeros({32, 0})}});
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_THAT(error.what(), HasSubstr("rank 0"));
}

TEST(AdapterFileTest, NanIsRefused) {
  const auto name = std::string(kLayer) + ".lora_up.weight";
  const auto error = refusal(with(good(), name, at::full({32, 2}, NAN)));
  EXPECT_EQ(error.code(), ErrorCode::kNonFinite);
  EXPECT_THAT(error.what(), HasSubstr("NaN"));
}

TEST(AdapterFileTest, BadAlphaIsRefused) {
  const auto name = std::string(kLayer) + ".alpha";
  EXPECT_THAT(refusal(with(good(), name, at::scalar_tensor(NAN))).what(), HasSubstr("alpha must be finite"));
  EXPECT_THAT(refusal(with(good(), name, at::ones({2}))).what(), HasSubstr("must be one number"));
}

TEST(AdapterFileTest, ShapesThatDoNotFitAreRefused) {
  const auto name = std::string(kLayer) + ".lora_down.weight";
  EXPECT_THAT(refusal(with(good(), name, at::randn({2, 64}))).what(), HasSubstr("down must be [2, 32], got [2, 64]"));
  EXPECT_THAT(refusal(with(good(), name, at::randn({3, 32}))).what(), HasSubstr("up must be [32, 3]"));
  const std::string conv = kConv;
  EXPECT_THAT(
      refusal({{conv + ".lora_down.weight", at::randn({2, 32})}, {conv + ".lora_up.weight", at::randn({32, 2})}})
          .what(),
      HasSubstr("down must be [2, 32, 3, 3]"));
  EXPECT_THAT(refusal(with(good(), std::string(kLayer) + ".dora_scale", at::ones({31, 1}))).what(),
              HasSubstr("magnitude"));
  const std::string layer = kLayer;
  EXPECT_THAT(refusal({{layer + ".lokr_w1", at::randn({5, 2})}, {layer + ".lokr_w2", at::randn({16, 16})}}).what(),
              HasSubstr("does not divide"));
}

TEST(AdapterFileTest, SameFactorTwiceIsRefused) {
  const auto error = refusal(with(
      good(), "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight", at::randn({2, 32})));
  EXPECT_THAT(error.what(), HasSubstr("same factor"));
}

TEST(AdapterFileTest, PicklesAndMissingFilesAreRefused) {
  const TempFolder folder;
  folder.write("style.safetensors", std::string("\x80\x02}q", 4) + std::string(40, 'x'));
  EXPECT_EQ(error_of([&] { adapters::read_adapter_file(folder.file("style.safetensors"), {&layers()}); }).code(),
            ErrorCode::kUnsupported);
  EXPECT_EQ(error_of([&] { adapters::read_adapter_file(folder.file("none.safetensors"), {&layers()}); }).code(),
            ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { adapters::read_adapter_file(folder.path(), {&layers()}); }).code(), ErrorCode::kNotFound);
}

TEST(AdapterFileTest, PeftConfigurationsThatFjordLacksAreRefused) {
  const TempFolder folder;
  const auto path = folder.file("adapter_model.safetensors");
  loading::write_safetensors(path, good());
  const auto refuse = [&](const std::string& config) {
    folder.write("adapter_config.json", config);
    return std::string(error_of([&] { adapters::read_adapter_file(path, {&layers()}); }).what());
  };
  EXPECT_THAT(refuse(R"({"peft_type": "IA3"})"), HasSubstr("LORA, LOHA or LOKR"));
  EXPECT_THAT(refuse(R"({"peft_type": "LORA", "r": "4"})"), HasSubstr("expected a number r"));
  EXPECT_THAT(refuse(R"({"peft_type": "LORA", "alpha_pattern": {"a.*": 1}})"), HasSubstr("plain name"));
  EXPECT_THAT(refuse("[]"), HasSubstr("JSON object"));
}

}  // namespace
}  // namespace fjord::testing
