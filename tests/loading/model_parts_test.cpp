// Parts of a model that come from elsewhere: variants and shards of weights, another VAE, a tokenizer.
#include "loading/open_model.h"

#include "loading/checkpoint.h"
#include "loading/json_text.h"
#include "loading/safetensors.h"
#include "loading/small_models.h"
#include "loading/tokenizer_source.h"
#include "loading/variant_source.h"
#include "support/error_of.h"
#include "support/seeded_weights.h"
#include "support/temp_folder.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <algorithm>

namespace fjord {
namespace {

using loading::Checkpoint;
using loading::Source;
using testing::error_of;
using ::testing::HasSubstr;
using testing::small_model;
using testing::TempFolder;
using testing::Tensors;

const std::string kTiny = FJORD_SOURCE_DIR "/weights/tiny";

at::Tensor read(const Checkpoint& checkpoint, const std::string& name) {
  auto out = at::empty(checkpoint.find(name)->shape, *checkpoint.find(name)->type);
  checkpoint.read_into(name, out);
  return out;
}

struct Part {
  const char* kind;  // of the files: "whole" or "shards" (tests/reference/weight_files.py)
  const char* part;
  const char* stem;
};

class WeightFilesTest : public ::testing::TestWithParam<Part> {};

// What diffusers and transformers wrote.
TEST_P(WeightFilesTest, VariantsAndShardsHaveTheSameTensors) {
  const auto& [kind, part, stem] = GetParam();
  const std::string data = FJORD_TEST_DATA "/weight_files/";
  const Checkpoint expected(*loading::open_folder(data + "whole"), part, stem);
  const std::shared_ptr<const Source> folder = loading::open_folder(data + kind);
  const Checkpoint plain(*folder, part, stem);
  const Checkpoint half(*loading::prefer_variant(folder, "fp16"), part, stem);
  ASSERT_GT(expected.names().size(), 10u);
  EXPECT_EQ(plain.names(), expected.names());
  EXPECT_EQ(half.names(), expected.names());
  for (const auto& name : expected.names()) {
    const auto tensor = read(expected, name);
    EXPECT_TRUE(read(plain, name).equal(tensor)) << name;
    EXPECT_EQ(half.find(name)->dtype, "F16");
    EXPECT_TRUE(read(half, name).equal(tensor.to(at::kHalf))) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, WeightFilesTest,
                         ::testing::Values(Part{"whole", "vae", "diffusion_pytorch_model"},
                                           Part{"whole", "text_encoder", "model"},
                                           Part{"shards", "vae", "diffusion_pytorch_model"},
                                           Part{"shards", "text_encoder", "model"}),
                         [](const auto& each) { return std::string(each.param.kind) + "_" + each.param.part; });

TEST(VariantTest, PartsWithoutItAreReadAsEver) {
  const std::shared_ptr<const Source> folder = loading::open_folder(kTiny);
  const auto source = loading::prefer_variant(folder, "fp16");
  EXPECT_EQ(Checkpoint(*source, "unet", "diffusion_pytorch_model").names(),
            Checkpoint(*folder, "unet", "diffusion_pytorch_model").names());
  ModelFiles options;
  options.variant = "fp16";
  const auto error = error_of([&] { loading::open_model(kTiny, options); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("diffusion_pytorch_model.fp16.safetensors"));
  options.variant = "../fp16";
  EXPECT_EQ(error_of([&] { loading::open_model(kTiny, options); }).code(), ErrorCode::kInvalidArgument);
}

class OtherVaeTest : public ::testing::Test {
 protected:
  // The model sd1 with the VAE at `path`.
  Checkpoint vae_of(const std::string& path) {
    loading::write_safetensors(folder_.file("model.safetensors"), small_model("sd1").original);
    ModelFiles options;
    options.vae = path;
    const auto opened = loading::open_model(folder_.file("model.safetensors"), options);
    config_ = loading::parse_json_object(loading::read_text(*opened.source, "vae/config.json", 1 << 20), "vae");
    return {*opened.source, "vae", "diffusion_pytorch_model"};
  }
  void expect_vae(const std::string& path) {
    const auto checkpoint = vae_of(path);
    for (const auto& [name, tensor] : other_) EXPECT_TRUE(read(checkpoint, name).equal(tensor)) << name;
    EXPECT_EQ(checkpoint.names().size(), other_.size());
  }

  TempFolder folder_;
  const Tensors& other_ = small_model("sdxl").parts.at("vae");
  nlohmann::json config_;
};

TEST_F(OtherVaeTest, ComesFromAFileInTheOriginalLayout) {
  Tensors alone;
  for (const auto& [name, tensor] : small_model("sdxl").original) {
    if (name.starts_with("first_stage_model.")) alone[name.substr(18)] = tensor;
  }
  alone["loss.logvar"] = at::zeros({});
  loading::write_safetensors(folder_.file("vae.safetensors"), alone);
  expect_vae(folder_.file("vae.safetensors"));
  EXPECT_EQ(config_["scaling_factor"], 0.18215) << "the scale is the model's, not the file's";
}

TEST_F(OtherVaeTest, ComesFromAFileInDiffusersLayout) {
  loading::write_safetensors(folder_.file("vae.safetensors"), other_);
  expect_vae(folder_.file("vae.safetensors"));
}

TEST_F(OtherVaeTest, ComesFromAWholeModelsFile) {
  loading::write_safetensors(folder_.file("other.safetensors"), small_model("sdxl").original);
  expect_vae(folder_.file("other.safetensors"));
}

TEST_F(OtherVaeTest, ComesFromAFolderWithItsOwnConfiguration) {
  testing::write_small_folder("sdxl", folder_.file("sdxl"));
  expect_vae(folder_.file("sdxl/vae"));
  EXPECT_EQ(config_["scaling_factor"], 0.13025);
  expect_vae(folder_.file("sdxl"));
}

TEST_F(OtherVaeTest, MayFillTheGapOfAFileWithoutOne) {
  Tensors without = small_model("sd1").original;
  std::erase_if(without, [](const auto& item) { return item.first.starts_with("first_stage_model."); });
  loading::write_safetensors(folder_.file("without.safetensors"), without);
  loading::write_safetensors(folder_.file("vae.safetensors"), other_);
  ModelFiles options;
  options.vae = folder_.file("vae.safetensors");
  EXPECT_TRUE(loading::open_model(folder_.file("without.safetensors"), options).source->exists("vae/config.json"));
}

TEST_F(OtherVaeTest, WhatIsNoVaeIsRefused) {
  loading::write_safetensors(folder_.file("a"), {{"weight", at::zeros({1})}});
  EXPECT_THAT(error_of([&] { vae_of(folder_.file("a")); }).what(), HasSubstr("is no VAE that fjord knows"));
  auto half = other_;
  std::erase_if(half, [](const auto& item) { return item.first.starts_with("decoder.up_blocks."); });
  loading::write_safetensors(folder_.file("b"), half);
  EXPECT_THAT(error_of([&] { vae_of(folder_.file("b")); }).what(), HasSubstr("is not whole"));
}

// The same merges as in weights/tiny, as OpenCLIP's package has them.
std::string list_of_merges() {
  auto text = loading::read_text(*loading::open_folder(kTiny), "tokenizer/merges.txt", 1 << 20);
  return "\"bpe_simple_vocab_16e6.txt" + text;
}

TEST(TokenizerSourceTest, AListOfMergesGivesTheFoldersVocabulary) {
  const auto expected = loading::read_tokenizer(loading::tokenizer_at(kTiny));
  const auto made = loading::read_tokenizer(loading::tokenizer_of_merges(list_of_merges()));
  // The folder's vocabulary goes on with unused tokens before begin and end.
  ASSERT_GT(made.vocabulary.size(), 900u);
  const auto end = made.vocabulary.end() - 2;
  EXPECT_TRUE(std::equal(made.vocabulary.begin(), end, expected.vocabulary.begin()));
  EXPECT_EQ(std::vector(end, made.vocabulary.end()), (std::vector<std::string>{"<|startoftext|>", "<|endoftext|>"}));
  EXPECT_EQ(made.merges, expected.merges);
  EXPECT_EQ(made.pad, expected.pad);
}

TEST(TokenizerSourceTest, ReadsItPackedAndPlain) {
  const TempFolder folder;
  const auto plain = folder.write("bpe.txt", list_of_merges());
  const auto packed = folder.file("bpe.txt.gz");
  gzFile file = gzopen(packed.c_str(), "wb");
  const auto text = list_of_merges();
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  EXPECT_EQ(loading::tokenizer_at(packed), loading::tokenizer_at(plain));
  std::filesystem::resize_file(packed, std::filesystem::file_size(packed) / 2);
  EXPECT_EQ(error_of([&] { loading::tokenizer_at(packed); }).code(), ErrorCode::kBadFile);
}

TEST(TokenizerSourceTest, EveryTextEncoderGetsItsPad) {
  const TempFolder folder;
  loading::write_safetensors(folder.file("a"), small_model("sdxl").original);
  ModelFiles options;
  options.tokenizer = kTiny;
  const auto opened = loading::open_model(folder.file("a"), options);
  loading::check_tokenizer(opened);
  const std::map<std::string, std::string> pads{{"tokenizer", "<|endoftext|>"}, {"tokenizer_2", "!"}};
  for (const auto& [part, pad] : pads) {
    const auto text = loading::read_text(*opened.source, part + "/tokenizer_config.json", 1 << 20);
    EXPECT_EQ(loading::parse_json_object(text, part)["pad_token"], pad);
    EXPECT_TRUE(opened.source->exists(part + "/vocab.json"));
  }
}

TEST(TokenizerSourceTest, ReplacesAFoldersOwn) {
  const TempFolder folder;
  folder.write("bpe.txt", list_of_merges());
  ModelFiles options;
  options.tokenizer = folder.file("bpe.txt");
  const auto opened = loading::open_model(kTiny, options);
  EXPECT_FALSE(opened.source->exists("tokenizer/tokenizer.json")) << "the folder's own is hidden";
  EXPECT_TRUE(opened.source->exists("tokenizer/merges.txt"));
}

}  // namespace
}  // namespace fjord
