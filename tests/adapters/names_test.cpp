// Names of layers in every dialect.
#include "adapters/key_names.h"
#include "adapters/network_layers.h"
#include "loading/config_json.h"
#include "loading/json_text.h"
#include "loading/small_models.h"
#include "loading/source.h"
#include "models/unet_cases.h"
#include "support/packed_names.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

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

const std::string kKeys = FJORD_TEST_DATA "/keys/";

std::string underscored(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

// The layers in a list of a published network: what has a matrix or a kernel.
std::vector<std::string> published_layers(const std::string& list) {
  std::vector<std::string> out;
  for (const auto& [name, shape] : read_packed_names(kKeys + list + ".keys", "text_model.")) {
    if (name.ends_with(".weight") && shape.size() >= 2 && name.find("embedding.weight") == std::string::npos) {
      out.push_back(name.substr(0, name.size() - 7));
    }
  }
  return out;
}

class PublishedLayersTest : public ::testing::TestWithParam<const char*> {};

TEST_P(PublishedLayersTest, EveryLayerIsFoundUnderItsNames) {
  const std::string list = GetParam();
  const auto text = loading::read_text(*loading::open_folder(kKeys), list + ".json", 1 << 20);
  const bool is_unet = list.starts_with("unet");
  const auto layers = is_unet ? NetworkLayers::of_unet(loading::read_unet_config(text, list))
                              : NetworkLayers::of_text_encoder(loading::read_clip_text_config(text, list));
  const auto names = published_layers(list);
  ASSERT_GT(names.size(), 50u);
  for (const auto& name : names) {
    for (const auto& spelling : {name, underscored(name)}) {
      const auto* layer = layers.find(spelling);
      ASSERT_NE(layer, nullptr) << spelling;
      EXPECT_EQ(layer->name, name);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, PublishedLayersTest,
                         ::testing::Values("unet_sd15", "unet_sd21", "unet_sdxl", "unet_sdxl_refiner", "unet_ssd",
                                           "unet_vega", "unet_bk_tiny", "clip_l", "openclip_h", "openclip_bigg"),
                         [](const auto& each) { return std::string(each.param); });

// The original repository's own list of its tensors; each layer is one of ours, and no two are the same.
TEST(OriginalNamesTest, EveryLayerOfPublishedFilesIsFound) {
  const std::string prefix = "model.diffusion_model.";
  for (const auto& [file, unet] : std::map<std::string, std::string>{{"sd15", "unet_sd15"},
                                                                     {"sd21", "unet_sd21"},
                                                                     {"sdxl", "unet_sdxl"},
                                                                     {"sdxl_refiner", "unet_sdxl_refiner"}}) {
    const auto text = loading::read_text(*loading::open_folder(kKeys), unet + ".json", 1 << 20);
    const auto layers = NetworkLayers::of_unet(loading::read_unet_config(text, unet));
    std::set<std::string> found;
    size_t count = 0;
    for (const auto& line : packed_lines(file + ".keys.gz")) {
      const auto name = line.substr(0, line.find(' '));
      const bool is_matrix = name.ends_with(".weight") && line.find(',') != std::string::npos;
      if (!name.starts_with(prefix) || !is_matrix) continue;
      const auto* layer = layers.find(underscored(name.substr(prefix.size(), name.size() - prefix.size() - 7)));
      ASSERT_NE(layer, nullptr) << file << ": " << name;
      found.insert(layer->name);
      ++count;
    }
    EXPECT_EQ(count, published_layers(unet).size()) << file;
    EXPECT_EQ(found.size(), count) << file;
  }
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
