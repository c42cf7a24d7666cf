// Strict loading of checkpoints, whole and in shards, into a module tree.
#include "loading/load_into.h"

#include "core/check.h"

#include "models/clip/clip_text_model.h"
#include "models/vae/vae_mid_block.h"
#include "nn/layers.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

#include <ATen/ops/randn.h>
#include <gmock/gmock.h>

namespace fjord {
namespace {

using loading::Checkpoint;
using loading::load_into;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TempFolder;

using Tensors = std::map<std::string, at::Tensor>;

struct Pair : nn::Module {
  Pair() : Module({nullptr, "", at::kFloat}), first(child("first"), 3, 2), second(child("second"), 2, 4) {}
  nn::Linear first, second;
};

Tensors good_tensors() {
  return {{"first.weight", at::randn({2, 3})},
          {"first.bias", at::randn({2})},
          {"second.weight", at::randn({4, 2})},
          {"second.bias", at::randn({4})}};
}

void save(const TempFolder& folder, const std::string& name, const Tensors& tensors) {
  loading::write_safetensors(folder.file(name), tensors);
}

Checkpoint open(const TempFolder& folder) { return {*loading::open_folder(folder.path()), "", "model"}; }

void expect_equal(nn::Module& module, const Tensors& tensors) {
  for (const auto& [name, tensor] : module.named_parameters()) EXPECT_TRUE(tensor->equal(tensors.at(name))) << name;
}

TEST(LoadIntoTest, FillsEveryParameter) {
  const TempFolder folder;
  const auto tensors = good_tensors();
  save(folder, "model.safetensors", tensors);
  Pair pair;
  load_into(pair, open(folder), {}, "pair");
  expect_equal(pair, tensors);
}

TEST(LoadIntoTest, ReportsAllThatDoesNotFitAtOnce) {
  const TempFolder folder;
  auto tensors = good_tensors();
  tensors.erase("first.bias");
  tensors["second.weight"] = at::randn({4, 3});
  tensors["third.weight"] = at::randn({1});
  save(folder, "model.safetensors", tensors);
  Pair pair;
  const auto error = error_of([&] { load_into(pair, open(folder), {}, "the pair"); });
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_THAT(error.what(), HasSubstr("the pair"));
  EXPECT_THAT(error.what(), HasSubstr("1 missing: first.bias"));
  EXPECT_THAT(error.what(), HasSubstr("1 unexpected: \"third.weight\""));
  EXPECT_THAT(error.what(), HasSubstr("1 misshaped: second.weight: file [4, 3], model [4, 2]"));
}

TEST(LoadIntoTest, LongListsAreCutAndCounted) {
  const TempFolder folder;
  auto tensors = good_tensors();
  for (int i = 0; i < 30; ++i) tensors["extra." + std::to_string(i)] = at::randn({1});
  save(folder, "model.safetensors", tensors);
  Pair pair;
  const std::string text = error_of([&] { load_into(pair, open(folder), {}, "pair"); }).what();
  EXPECT_THAT(text, HasSubstr("30 unexpected"));
  EXPECT_THAT(text, HasSubstr(", ..."));
}

TEST(LoadIntoTest, AConvolutionOfOnePixelFitsALinearLayer) {
  const TempFolder folder;
  auto tensors = good_tensors();
  tensors["first.weight"] = tensors["first.weight"].view({2, 3, 1, 1});
  save(folder, "model.safetensors", tensors);
  Pair pair;
  load_into(pair, open(folder), {}, "pair");
  EXPECT_TRUE(pair.first.weight.equal(tensors["first.weight"].view({2, 3})));
}

TEST(LoadIntoTest, PrefixIsOptionalAndPositionIdsAreNotNeeded) {
  config::ClipText config;
  config.hidden_size = 8;
  config.intermediate_size = 16;
  config.num_attention_heads = 2;
  config.num_hidden_layers = 1;
  config.vocab_size = 11;
  config.max_position_embeddings = 7;
  models::ClipTextModel model(config, at::kFloat);
  Tensors plain;
  Tensors prefixed;
  for (const auto& [name, tensor] : model.named_parameters()) {
    plain[name] = at::randn(tensor->sizes());
    prefixed["text_model." + name] = plain[name];
  }
  prefixed["text_model.embeddings.position_ids"] = at::randn({1, 7}).to(at::kLong);
  for (const auto& tensors : {plain, prefixed}) {
    const TempFolder folder;
    save(folder, "model.safetensors", tensors);
    load_into(model, open(folder), loading::clip_text_rules(), "text encoder");
    expect_equal(model, plain);
  }
  const TempFolder folder;
  plain["text_model.final_layer_norm.bias"] = at::randn({8});
  save(folder, "model.safetensors", plain);
  EXPECT_THAT(error_of([&] { load_into(model, open(folder), loading::clip_text_rules(), "x"); }).what(),
              HasSubstr("\"text_model.final_layer_norm.bias\" (the same as final_layer_norm.bias)"));
}

struct OldVae : nn::Module {
  explicit OldVae(const config::Vae& config)
      : Module({nullptr, "", at::kFloat}), mid_block(child("mid_block"), config, 32) {}
  models::VaeMidBlock mid_block;
};

TEST(LoadIntoTest, OldNamesOfTheVaesAttentionFit) {
  config::Vae config;
  config.norm_num_groups = 4;
  OldVae vae(config);
  const std::vector<std::pair<std::string, std::string>> old_names{
      {"to_q", "query"}, {"to_k", "key"}, {"to_v", "value"}, {"to_out.0", "proj_attn"}};
  Tensors wanted;
  Tensors old;
  for (const auto& [name, tensor] : vae.named_parameters()) {
    wanted[name] = at::randn(tensor->sizes());
    auto file_name = name;
    for (const auto& [now, before] : old_names) {
      const auto at = file_name.find("attentions.0." + now + ".");
      if (at != std::string::npos) file_name.replace(at + 13, now.size(), before);
    }
    old[file_name] = wanted[name];
  }
  ASSERT_TRUE(old.contains("mid_block.attentions.0.proj_attn.weight"));
  const TempFolder folder;
  save(folder, "model.safetensors", old);
  load_into(vae, open(folder), loading::vae_rules(), "VAE");
  expect_equal(vae, wanted);
}

class ShardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    save(folder_, "a.safetensors",
         {{"first.weight", tensors_["first.weight"]}, {"first.bias", tensors_["first.bias"]}});
    save(folder_, "b.safetensors",
         {{"second.weight", tensors_["second.weight"]}, {"second.bias", tensors_["second.bias"]}});
  }
  // Writes an index whose second shard has this name.
  void write_index(const std::string& second, const std::string& more = "") const {
    folder_.write("model.safetensors.index.json",
                  R"({"metadata": {"total_size": 1}, "weight_map": {"first.weight": "a.safetensors",)"
                  R"("first.bias": "a.safetensors", "second.weight": ")" +
                      second + R"(", "second.bias": ")" + second + "\"" + more + "}}");
  }
  Error error() const {
    return error_of([this] { open(folder_); });
  }

  TempFolder folder_;
  Tensors tensors_ = good_tensors();
};

TEST_F(ShardTest, AreJoined) {
  write_index("b.safetensors");
  Pair pair;
  load_into(pair, open(folder_), {}, "pair");
  expect_equal(pair, tensors_);
}

TEST_F(ShardTest, MissingShardIsNotFound) {
  write_index("c.safetensors");
  EXPECT_EQ(error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(error().what(), HasSubstr("c.safetensors"));
}

TEST_F(ShardTest, NamesOutsideTheFolderAreRefused) {
  for (const char* name : {"../b.safetensors", "/etc/passwd", "x/b.safetensors", "C:\\\\b", "..", "", "b\\u0000"}) {
    write_index(name);
    EXPECT_EQ(error().code(), ErrorCode::kBadFile) << name;
  }
}

TEST_F(ShardTest, ATensorThatIsNotThereIsNamed) {
  write_index("b.safetensors", R"(, "third": "b.safetensors")");
  EXPECT_EQ(error().code(), ErrorCode::kBadFile);
  EXPECT_THAT(error().what(), HasSubstr("third"));
}

TEST_F(ShardTest, ATensorInTwoShardsIsNamed) {
  save(folder_, "b.safetensors", {{"second.weight", at::randn({1})}, {"first.bias", at::randn({1})}});
  write_index("b.safetensors");
  EXPECT_THAT(error().what(), HasSubstr("first.bias"));
}

TEST_F(ShardTest, BrokenIndexesAreRefused) {
  for (const char* text : {"", "[]", "{}", R"({"weight_map": 3})", R"({"weight_map": {}})",
                           R"({"weight_map": {"a": 1}})", R"({"weight_map": {"a": "x")"}) {
    folder_.write("model.safetensors.index.json", text);
    EXPECT_EQ(error().code(), ErrorCode::kBadFile) << text;
  }
  std::string many = R"({"weight_map": {)";
  for (int i = 0; i < 2000; ++i) many += concat(i == 0 ? "\"" : ",\"", i, "\":\"", i, "\"");
  folder_.write("model.safetensors.index.json", many + "}}");
  EXPECT_THAT(error().what(), HasSubstr("2000"));
}

TEST(CheckpointTest, SaysWhatItLookedForAndRefusesPickles) {
  const TempFolder folder;
  EXPECT_EQ(error_of([&] { open(folder); }).code(), ErrorCode::kNotFound);
  EXPECT_THAT(error_of([&] { open(folder); }).what(), HasSubstr("model.safetensors"));
  folder.write("pytorch_model.bin", "PK");
  EXPECT_EQ(error_of([&] { open(folder); }).code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error_of([&] { open(folder); }).what(), HasSubstr("pickle"));
  save(folder, "model.fp16.safetensors", good_tensors());
  EXPECT_EQ(open(folder).names().size(), 4u);
}

}  // namespace
}  // namespace fjord
