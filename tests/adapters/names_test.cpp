// Names of layers in every dialect.
#include "adapters/key_names.h"
#include "adapters/network_layers.h"
#include "loading/config_json.h"
#include "models/unet_cases.h"

#include <gmock/gmock.h>

namespace fjord::testing {
namespace {

using adapters::NetworkLayers;
using adapters::parse_key;
using adapters::Part;

constexpr char kToQ[] = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q";

struct Spelling {
  std::string key, layer, role;
  std::optional<Part> part;
};

TEST(KeyNamesTest, EveryDialectNamesTheSameLayer) {
  const auto layers = NetworkLayers::of_unet(loading::read_unet_config(model_config_text("unet_sdxl"), "unet"));
  const std::string dotted = kToQ, kohya = "down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q";
  for (const auto& [key, role] : std::map<std::string, std::string>{
           {"lora_unet_" + kohya + ".lora_down.weight", "down"},
           {"lora_unet_" + kohya + ".lora_mid.weight", "mid"},
           {"lora_unet_" + kohya + ".dora_scale", "dora_scale"},
           {"lora_unet_" + kohya + ".hada_w2_b", "hada_w2_b"},
           {"lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q.alpha", "alpha"},
           {"unet." + dotted + ".lora.up.weight", "up"},
           {"unet." + dotted + ".lora_B.weight", "up"},
           {"unet." + dotted + ".lora_magnitude_vector", "magnitude"},
           {"unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.down.weight", "down"},
           {"down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.up.weight", "up"},
           {"base_model.model." + dotted + ".lora_A.weight", "down"},
           {"base_model.model." + dotted + ".lora_A.style.weight", "down"},
           {"base_model.model." + dotted + ".lora_B.default.bias", "up_bias"},
           {"base_model.model." + dotted + ".lokr_w1_a", "lokr_w1_a"},
           {"base_model.model." + dotted + ".lora_magnitude_vector.default.weight", "magnitude"}}) {
    const auto name = parse_key(key);
    ASSERT_TRUE(name) << key;
    EXPECT_EQ(name->role, role) << key;
    const auto* layer = layers.find(name->layer);
    ASSERT_NE(layer, nullptr) << key;
    EXPECT_EQ(layer->name, dotted) << key;
  }
}

TEST(KeyNamesTest, PartsComeFromThePrefix) {
  EXPECT_EQ(parse_key("lora_unet_conv_in.alpha")->part, Part::kUnet);
  EXPECT_EQ(parse_key("lora_te_text_model_encoder_layers_0_mlp_fc1.alpha")->part, Part::kText);
  EXPECT_EQ(parse_key("lora_te1_text_model_encoder_layers_0_mlp_fc1.alpha")->part, Part::kText);
  EXPECT_EQ(parse_key("lora_te2_text_model_encoder_layers_0_mlp_fc1.alpha")->part, Part::kText2);
  EXPECT_EQ(parse_key("text_encoder_2.text_model.encoder.layers.0.mlp.fc1.lora_A.weight")->part, Part::kText2);
  EXPECT_EQ(parse_key("base_model.model.conv_in.lora_A.weight")->part, std::nullopt);
}

TEST(KeyNamesTest, KeysWithoutFactorAreUnknown) {
  for (const char* key : {"", ".", "lora_unet_conv_in", "lora_unet_conv_in.weight", "unet.conv_in.lora_A",
                          "unet.conv_in.lora_A.a.b.weight", "alpha", "decoder.up.0.block.0.conv1.weight"}) {
    EXPECT_FALSE(parse_key(key)) << key;
  }
}

TEST(KeyNamesTest, TextEncoderLayersInEveryDialect) {
  const auto layers =
      NetworkLayers::of_text_encoder(loading::read_clip_text_config(model_config_text("clip_gelu_projection"), "text"));
  for (const char* spelling :
       {"text_model_encoder_layers_1_self_attn_out_proj", "text_model.encoder.layers.1.self_attn.out_proj",
        "text_model.encoder.layers.1.self_attn.to_out", "encoder.layers.1.self_attn.out_proj"}) {
    const auto* layer = layers.find(spelling);
    ASSERT_NE(layer, nullptr) << spelling;
    EXPECT_EQ(layer->name, "encoder.layers.1.self_attn.out_proj");
  }
  EXPECT_NE(layers.find("text_projection"), nullptr);
  EXPECT_EQ(layers.find("embeddings.token_embedding"), nullptr);
}

// The places that the original repository's configuration of SDXL gives: three levels of two residual blocks, without
// attention on the first.
TEST(OriginalNamesTest, BlocksAreNumberedThrough) {
  const std::vector<std::int64_t> layers{2, 2, 2};
  const std::vector<bool> attends{true, true, false};
  const auto original = [&](const std::string& name) { return adapters::original_name(name, layers, attends); };
  EXPECT_EQ(original("conv_in"), "input_blocks.0.0");
  EXPECT_EQ(original("down_blocks.0.resnets.1.conv2"), "input_blocks.2.0.out_layers.3");
  EXPECT_EQ(original("down_blocks.0.downsamplers.0.conv"), "input_blocks.3.0.op");
  EXPECT_EQ(original("down_blocks.1.resnets.0.conv_shortcut"), "input_blocks.4.0.skip_connection");
  EXPECT_EQ(original("down_blocks.2.attentions.1.proj_in"), "input_blocks.8.1.proj_in");
  EXPECT_EQ(original("mid_block.resnets.1.time_emb_proj"), "middle_block.2.emb_layers.1");
  EXPECT_EQ(original("mid_block.attentions.0.transformer_blocks.3.attn2.to_out.0"),
            "middle_block.1.transformer_blocks.3.attn2.to_out.0");
  EXPECT_EQ(original("up_blocks.0.attentions.2.proj_out"), "output_blocks.2.1.proj_out");
  EXPECT_EQ(original("up_blocks.0.upsamplers.0.conv"), "output_blocks.2.2.conv");
  EXPECT_EQ(original("up_blocks.1.resnets.0.norm1"), "output_blocks.3.0.in_layers.0");
  EXPECT_EQ(original("up_blocks.2.resnets.2.conv1"), "output_blocks.8.0.in_layers.2");
  EXPECT_EQ(original("time_embedding.linear_2"), "time_embed.2");
  EXPECT_EQ(original("add_embedding.linear_1"), "label_emb.0.0");
  EXPECT_EQ(original("conv_norm_out"), "out.0");
  EXPECT_EQ(original("conv_out"), "out.2");
}

}  // namespace
}  // namespace fjord::testing
