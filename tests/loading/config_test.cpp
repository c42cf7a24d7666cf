// config.json and model_index.json: published configurations are read right, everything else is refused by name.
#include "loading/config_json.h"
#include "loading/json_text.h"
#include "loading/source.h"
#include "models/unet/unet_2d_condition.h"
#include "support/error_of.h"

#include <gmock/gmock.h>

namespace fjord {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using Json = nlohmann::json;

// A configuration as the reference class writes it (tests/reference/key_lists.py).
Json published(const std::string& name) {
  const auto folder = loading::open_folder(FJORD_TEST_DATA "/keys");
  return Json::parse(loading::read_text(*folder, name + ".json", 1 << 20));
}

config::UNet unet(const Json& json) { return loading::read_unet_config(json.dump(), "unet/config.json"); }
config::Vae vae(const Json& json) { return loading::read_vae_config(json.dump(), "vae/config.json"); }
config::ClipText clip(const Json& json) {
  return loading::read_clip_text_config(json.dump(), "text_encoder/config.json");
}

TEST(UNetConfigTest, ReadsTheConfigurationOfSd15) {
  const auto config = unet(published("unet_sd15"));
  EXPECT_THAT(config.sample_size, ElementsAre(64));
  EXPECT_EQ(config.in_channels, 4);
  EXPECT_THAT(config.block_out_channels, ElementsAre(320, 640, 1280, 1280));
  EXPECT_THAT(config.down_block_types,
              ElementsAre("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"));
  EXPECT_THAT(config.layers_per_block, ElementsAre(2, 2, 2, 2));
  EXPECT_THAT(config.cross_attention_dim, ElementsAre(768, 768, 768, 768));
  EXPECT_THAT(config.num_attention_heads, ElementsAre(8, 8, 8, 8));
  EXPECT_FALSE(config.use_linear_projection);
  EXPECT_FALSE(config.addition_embed_type.has_value());
  EXPECT_EQ(unet(published("unet_sd15_inpainting")).in_channels, 9);
}

TEST(UNetConfigTest, ReadsTheConfigurationOfSd21) {
  const auto config = unet(published("unet_sd21"));
  EXPECT_THAT(config.num_attention_heads, ElementsAre(5, 10, 20, 20));
  EXPECT_THAT(config.cross_attention_dim, ElementsAre(1024, 1024, 1024, 1024));
  EXPECT_TRUE(config.use_linear_projection);
  EXPECT_TRUE(config.upcast_attention);
}

TEST(UNetConfigTest, ReadsTheConfigurationsOfSdxl) {
  const auto base = unet(published("unet_sdxl"));
  EXPECT_THAT(base.num_attention_heads, ElementsAre(5, 10, 20));
  EXPECT_THAT(base.transformer_layers_per_block, ElementsAre(ElementsAre(1), ElementsAre(2), ElementsAre(10)));
  EXPECT_EQ(base.addition_embed_type, "text_time");
  EXPECT_EQ(base.addition_time_embed_dim, 256);
  EXPECT_EQ(base.projection_class_embeddings_input_dim, 2816);
  EXPECT_EQ(unet(published("unet_sdxl_refiner")).projection_class_embeddings_input_dim, 2560);
}

TEST(VaeConfigTest, ReadsThePublishedConfigurations) {
  EXPECT_EQ(vae(published("vae_sd15")).scaling_factor, 0.18215);
  const auto config = vae(published("vae_sdxl"));
  EXPECT_EQ(config.scaling_factor, 0.13025);
  EXPECT_EQ(config.sample_size, 1024);
  EXPECT_THAT(config.block_out_channels, ElementsAre(128, 256, 512, 512));
  EXPECT_EQ(config.layers_per_block, 2);
  EXPECT_TRUE(config.force_upcast);
}

TEST(ClipConfigTest, ReadsThePublishedConfigurations) {
  const auto small = clip(published("clip_l"));
  EXPECT_EQ(small.architecture, "CLIPTextModel");
  EXPECT_EQ(small.hidden_act, "quick_gelu");
  EXPECT_EQ(small.num_hidden_layers, 12);
  const auto large = clip(published("openclip_bigg"));
  EXPECT_EQ(large.architecture, "CLIPTextModelWithProjection");
  EXPECT_EQ(large.hidden_act, "gelu");
  EXPECT_EQ(large.projection_dim, 1280);
  EXPECT_EQ(clip(published("openclip_h")).num_hidden_layers, 23);
}

struct BadField {
  const char* model;
  const char* key;
  const char* value;  // as JSON
  ErrorCode code = ErrorCode::kBadFile;
};

void PrintTo(const BadField& field, std::ostream* out) { *out << field.key << " = " << field.value; }

class BadFieldTest : public ::testing::TestWithParam<BadField> {};

TEST_P(BadFieldTest, IsRefusedByName) {
  const std::string model = GetParam().model;
  auto json = published(model);
  json[GetParam().key] = Json::parse(GetParam().value);
  const auto error = error_of([&] {
    if (model.starts_with("unet")) unet(json);
    if (model.starts_with("vae")) vae(json);
    if (model.starts_with("clip")) clip(json);
  });
  EXPECT_EQ(error.code(), GetParam().code) << error.what();
  EXPECT_THAT(error.what(), HasSubstr(GetParam().key));
  EXPECT_THAT(error.what(), HasSubstr("config.json"));
}

constexpr auto kUnsupported = ErrorCode::kUnsupported;

INSTANTIATE_TEST_SUITE_P(
    Fields, BadFieldTest,
    ::testing::Values(
        BadField{"unet_sd15", "in_channels", "0"}, BadField{"unet_sd15", "in_channels", "-4"},
        BadField{"unet_sd15", "in_channels", "4.5"}, BadField{"unet_sd15", "in_channels", "4e0"},
        BadField{"unet_sd15", "in_channels", "true"}, BadField{"unet_sd15", "in_channels", "\"4\""},
        BadField{"unet_sd15", "in_channels", "9223372036854775808"}, BadField{"unet_sd15", "block_out_channels", "[]"},
        BadField{"unet_sd15", "block_out_channels", "[320, 640, 1280]"},
        BadField{"unet_sd15", "block_out_channels", "[320, 640, 1280, 2147483648]"},
        BadField{"unet_sd15", "block_out_channels", "[320, 640, 1280, 1287]"},
        BadField{"unet_sd15", "attention_head_dim", "0"}, BadField{"unet_sd15", "attention_head_dim", "-8"},
        BadField{"unet_sd15", "attention_head_dim", "1000000000"}, BadField{"unet_sd15", "attention_head_dim", "7"},
        BadField{"unet_sd15", "attention_head_dim", "[8, 8]"}, BadField{"unet_sd15", "cross_attention_dim", "{}"},
        BadField{"unet_sd15", "norm_num_groups", "0"}, BadField{"unet_sd15", "use_linear_projection", "1"},
        BadField{"unet_sd15", "attention_type", "\"gated\"", kUnsupported},
        BadField{"unet_sd15", "a_field_of_tomorrow", "1", kUnsupported},
        BadField{"unet_sd15", "quantization_config", R"({"quant_method": "bitsandbytes"})", kUnsupported},
        BadField{"unet_sd15", "quantization_config",
                 R"({"quant_method": "fjord", "weights": "int2", "inputs": "unchanged"})", kUnsupported},
        BadField{"unet_sd15", "quantization_config",
                 R"({"quant_method": "fjord", "weights": "int4", "inputs": "int8", "group_size": "32"})", kUnsupported},
        BadField{"unet_sd15", "quantization_config",
                 R"({"quant_method": "fjord", "weights": "int4", "inputs": "unchanged", "group_size": "64"})",
                 kUnsupported},
        BadField{"vae_sd15", "block_out_channels", "[]"}, BadField{"vae_sd15", "norm_num_groups", "7"},
        BadField{"vae_sd15", "scaling_factor", "0"}, BadField{"vae_sd15", "latent_channels", "[]"},
        BadField{"vae_sd15", "a_field_of_tomorrow", "[]", kUnsupported}, BadField{"clip_l", "hidden_size", "0"},
        BadField{"clip_l", "num_attention_heads", "7"}, BadField{"clip_l", "architectures", "3"},
        BadField{"clip_l", "max_position_embeddings", "2"}));

TEST(ConfigTest, UnknownWordsAreRefusedByName) {
  auto json = published("unet_sd15");
  json["down_block_types"][0] = "KDownBlock2D";
  const auto error = error_of([&] { models::UNet2DConditionModel(unet(json), at::kMeta); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(), HasSubstr("KDownBlock2D"));
  auto text = published("clip_l");
  text["architectures"] = {"%n%s{}"};
  EXPECT_THAT(error_of([&] { clip(text); }).what(), HasSubstr("%n%s{}"));
}

TEST(ConfigTest, FieldsLeftOutHaveTheReferencesDefaults) {
  const auto config = loading::read_unet_config("{}", "x");
  EXPECT_THAT(config.block_out_channels, ElementsAre(320, 640, 1280, 1280));
  EXPECT_THAT(config.cross_attention_dim, ElementsAre(1280, 1280, 1280, 1280));
  EXPECT_EQ(config.norm_num_groups, 32);
}

class BadJsonTest : public ::testing::TestWithParam<std::string> {};

TEST_P(BadJsonTest, IsRefused) {
  const auto error = error_of([] { loading::parse_json_object(GetParam(), "the/file.json"); });
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_THAT(error.what(), HasSubstr("the/file.json"));
}

INSTANTIATE_TEST_SUITE_P(Texts, BadJsonTest,
                         ::testing::Values("", "\xef\xbb\xbf", std::string("{\0\"\0", 4), "[]", "3", "{", "{}{}",
                                           R"({"a": NaN})", R"({"a": Infinity})", R"({"a": 0x10})", R"({"a": 1E400})",
                                           "{'a': 1}", R"({"a": 1,})", "{/* */}", "{\"a\": \"\xff\"}",
                                           R"({"a": 1, "a": 2})", R"({"b": {"a": 1, "a": 2}})",
                                           "{\"a\": " + std::string(100000, '[') + std::string(100000, ']') + "}",
                                           "{\"a\": \"" + std::string(2 << 20, 'x') + "\"}"));

TEST(ModelIndexTest, ListsComponentsThatAreThere) {
  const auto index = loading::read_model_index(
      R"({"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.38.0", "unet": ["diffusers", "UNet"],
          "safety_checker": [null, null], "requires_safety_checker": false, "vae": ["diffusers", "AutoencoderKL"]})",
      "x");
  EXPECT_EQ(index.class_name, "StableDiffusionPipeline");
  EXPECT_THAT(index.components, ElementsAre(::testing::Pair("unet", "UNet"), ::testing::Pair("vae", "AutoencoderKL")));
  EXPECT_EQ(error_of([] { loading::read_model_index("{}", "x"); }).code(), ErrorCode::kBadFile);
  EXPECT_EQ(error_of([] { loading::read_model_index(R"({"_class_name": 3})", "x"); }).code(), ErrorCode::kBadFile);
}

}  // namespace
}  // namespace fjord
