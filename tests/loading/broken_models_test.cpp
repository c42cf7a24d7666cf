// Model files that are no good, in every way we can think of: one clear sentence each.
#include "loading/open_model.h"

#include "loading/checkpoint.h"
#include "loading/safetensors.h"
#include "loading/small_models.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

#include <fjord/inspect.h>
#include <gmock/gmock.h>

#include <fstream>
#include <functional>
#include <sstream>

namespace fjord {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::small_model;
using testing::TempFolder;
using testing::Tensors;

void drop(Tensors& tensors, const std::string& prefix) {
  std::erase_if(tensors, [&](const auto& item) { return item.first.starts_with(prefix); });
}

void take(Tensors& tensors, const std::string& prefix, const std::string& other) {
  for (const auto& [name, tensor] : small_model(other).original) {
    if (name.starts_with(prefix)) tensors[name] = tensor;
  }
}

struct Broken {
  const char* name;
  const char* model;
  std::function<void(Tensors&)> harm;
  ErrorCode code;
  const char* sentence;  // a part of it
};

void PrintTo(const Broken& each, std::ostream* out) { *out << each.name; }

class BrokenModelTest : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenModelTest, IsRefusedInOneSentence) {
  const TempFolder folder;
  const auto& [name, model, harm, code, sentence] = GetParam();
  auto tensors = small_model(model).original;
  harm(tensors);
  const auto path = folder.file("model.safetensors");
  loading::write_safetensors(path, tensors);
  const auto error = error_of([&] { loading::open_model(path); });
  EXPECT_EQ(error.code(), code) << error.what();
  EXPECT_THAT(error.what(), HasSubstr(sentence));
  EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  const auto report = inspect(path);  // still tells what is in it, and what is wrong
  EXPECT_EQ(report.kind, "safetensors file");
  EXPECT_EQ(report.parts.at(0).facts.at(0).second, error.what());
}

constexpr auto kBad = ErrorCode::kBadFile;
constexpr auto kUnsupported = ErrorCode::kUnsupported;
const std::string kUNet = "model.diffusion_model.";

INSTANTIATE_TEST_SUITE_P(
    Files, BrokenModelTest,
    ::testing::Values(
        Broken{"NoTextEncoder", "sd1", [](Tensors& m) { drop(m, "cond_stage_model."); }, kBad,
               "has a U-Net but no text encoder"},
        Broken{"NoVae", "sd1", [](Tensors& m) { drop(m, "first_stage_model."); }, kBad, "has no VAE"},
        Broken{"NoDecoder", "sd1", [](Tensors& m) { drop(m, "first_stage_model.decoder."); }, kBad,
               "its VAE is not whole"},
        Broken{"NoUNet", "sd1", [](Tensors& m) { drop(m, kUNet); }, kUnsupported, "no model that fjord knows"},
        Broken{"NoWayUp", "sd1", [](Tensors& m) { drop(m, kUNet + "output_blocks."); }, kBad,
               "its U-Net is not whole: it has 2 blocks down and 0 up"},
        Broken{"NoWayDown", "sd1", [](Tensors& m) { drop(m, kUNet + "input_blocks."); }, kBad,
               "its U-Net is not whole"},
        Broken{"NoText", "sd1",
               [](Tensors& m) {
                 for (auto next = m.begin(); next != m.end();)
                   next = next->first.find("attn2") != std::string::npos ? m.erase(next) : std::next(next);
               },
               kBad, "attn2.to_k.weight"},
        Broken{"OneOfTwoTextEncoders", "sdxl", [](Tensors& m) { drop(m, "conditioner.embedders.1."); }, kBad,
               "the text encoders of no family"},
        Broken{"TwoFamiliesTextEncoders", "sd1",
               [](Tensors& m) {
                 take(m, "cond_stage_model.", "sd2");
                 take(m, "conditioner.", "sdxl");
               },
               kBad, "of no family, or of several: \"cond_stage_model.transformer.\", \"cond_stage_model.model.\""},
        Broken{"FirstUNetWithLargeText", "sd1",
               [](Tensors& m) {
                 drop(m, "cond_stage_model.");
                 take(m, "conditioner.", "sdxl");
               },
               kBad,
               "parts of different families: its text encoders (Stable Diffusion XL) give 192 features, its U-Net "
               "expects 64"},
        Broken{"LargeUNetWithFirstText", "sdxl",
               [](Tensors& m) {
                 drop(m, "conditioner.");
                 take(m, "cond_stage_model.", "sd1");
               },
               kBad, "parts of different families"},
        Broken{"SecondUNetWithFirstText", "sd2",
               [](Tensors& m) {
                 drop(m, "cond_stage_model.");
                 take(m, "cond_stage_model.", "sd1");
               },
               kBad, "parts of different families"},
        Broken{"RefinerWithBasesText", "refiner",
               [](Tensors& m) {
                 drop(m, "conditioner.");
                 take(m, "conditioner.", "sdxl");
               },
               kBad, "parts of different families"},
        Broken{"Unknown99Percent", "sd1",
               [](Tensors& m) {
                 const auto count = m.size() * 99;
                 for (size_t i = 0; i < count; ++i) m["junk." + std::to_string(i)] = at::zeros({1});
               },
               kBad, "tensors that belong to no part of it: \"junk.0\""},
        Broken{"DotsInNames", "sd1", [](Tensors& m) { m["../../etc/passwd"] = at::zeros({1}); }, kBad,
               "\"../../etc/passwd\""},
        Broken{"Lora", "sd1",
               [](Tensors& m) {
                 m = {{"lora_unet_down_blocks_0.lora_up.weight", at::zeros({1, 1})}};
               },
               kUnsupported, "is a LoRA"},
        Broken{"ControlNet", "sd1",
               [](Tensors& m) {
                 m = {{"control_model.input_blocks.0.0.weight", at::zeros({1, 1})}};
               },
               kUnsupported, "is a ControlNet"},
        Broken{"Flux", "sd1",
               [](Tensors& m) {
                 m = {{"model.diffusion_model.double_blocks.0.img_attn.qkv.weight", at::zeros({1, 1})}};
               },
               kUnsupported, "Flux"},
        Broken{"VaeAlone", "sd1",
               [](Tensors& m) {
                 m = {{"encoder.conv_in.weight", at::zeros({1, 1})}};
               },
               kUnsupported, "is a VAE alone"},
        Broken{"Empty", "sd1", [](Tensors& m) { m.clear(); }, kUnsupported, "no model that fjord knows"},
        Broken{"FiveChannels", "sd1",
               [](Tensors& m) {
                 m[kUNet + "input_blocks.0.0.weight"] = at::zeros({32, 5, 3, 3});
               },
               kUnsupported, "its U-Net has 5 input channels"},
        Broken{"ContinuousNoise", "sdxl", [](Tensors& m) { m["edm_vpred.sigma_max"] = at::full({}, 120.0F); },
               kUnsupported, "edm_vpred.sigma_max"},
        Broken{"FusedRows", "sd2",
               [](Tensors& m) {
                 m["cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight"] = at::zeros({64, 64});
               },
               kBad, "a number of rows that three divides"},
        Broken{"ProjectionIsNoMatrix", "sdxl",
               [](Tensors& m) { m["conditioner.embedders.1.model.text_projection"] = at::zeros({128}); }, kBad,
               "expected a matrix"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(BrokenFileTest, UnknownTensorsAreLeftOutIfAskedFor) {
  const TempFolder folder;
  auto tensors = small_model("sd1").original;
  tensors["junk.weight"] = at::zeros({1});
  loading::write_safetensors(folder.file("a"), tensors);
  ModelFiles options;
  options.skip_unknown = true;
  EXPECT_TRUE(loading::open_model(folder.file("a"), options).source->exists("unet/config.json"));
}

TEST(BrokenFileTest, OtherFormatsAreNamedAndNeverOpened) {
  const TempFolder folder;
  const std::map<std::string, std::string> formats{
      {std::string("PK\x03\x04", 4), "safetensors"},    // .ckpt, .pt, .bin since PyTorch 1.6
      {std::string("\x80\x02}q\0", 5), "safetensors"},  // older ones
      {std::string("GGUF\x03\0\0\0", 8), "safetensors"},
  };
  for (const auto& [head, advice] : formats) {
    for (const char* name : {"model.ckpt", "model.safetensors"}) {
      const auto path = folder.write(name, head + std::string(100, '\0'));
      const auto error = error_of([&] { loading::open_model(path); });
      EXPECT_EQ(error.code(), kUnsupported) << error.what();
      EXPECT_THAT(error.what(), HasSubstr("convert"));
    }
  }
}

TEST(BrokenFileTest, CutEmptyAndMissingFiles) {
  const TempFolder folder;
  const auto path = folder.file("model.safetensors");
  loading::write_safetensors(path, small_model("sd1").original);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_THAT(error_of([&] { loading::open_model(path); }).what(), HasSubstr("is truncated"));
  EXPECT_THAT(error_of([&] { loading::open_model(folder.write("empty", "")); }).what(), HasSubstr("got only 0 bytes"));
  EXPECT_EQ(error_of([&] { loading::open_model(folder.file("none")); }).code(), ErrorCode::kNotFound);
  EXPECT_THAT(error_of([&] { loading::open_model(folder.path()); }).what(), HasSubstr("expected"));
  EXPECT_THAT(error_of([&] { loading::open_model(folder.path()); }).what(), HasSubstr("model_index.json"));
}

TEST(BrokenFileTest, AFolderWhereAFileIsExpectedAndTheOtherWayRound) {
  const TempFolder folder;
  std::filesystem::create_directory(folder.file("model.safetensors"));
  EXPECT_EQ(error_of([&] { loading::open_model(folder.file("model.safetensors")); }).code(), ErrorCode::kNotFound);
  ModelFiles options;
  options.vae = folder.file("model.safetensors");
  EXPECT_THAT(error_of([&] { loading::open_model(FJORD_SOURCE_DIR "/weights/tiny", options); }).what(),
              HasSubstr("there is no VAE in"));
  options.vae = folder.write("text", "this is text and no weights at all");
  EXPECT_EQ(error_of([&] { loading::open_model(FJORD_SOURCE_DIR "/weights/tiny", options); }).code(), kBad);
  options.vae.clear();
  options.tokenizer = folder.file("text");
  EXPECT_THAT(error_of([&] { loading::open_model(FJORD_SOURCE_DIR "/weights/tiny", options); }).what(),
              HasSubstr("expected a tokenizer's folder, or OpenCLIP's list of merges"));
  options.tokenizer = folder.path();
  EXPECT_THAT(error_of([&] { loading::open_model(FJORD_SOURCE_DIR "/weights/tiny", options); }).what(),
              HasSubstr("there is no tokenizer in"));
}

TEST(BrokenFileTest, AModelWithoutTokenizerSaysHowToGiveOne) {
  const TempFolder folder;
  loading::write_safetensors(folder.file("a"), small_model("sd1").original);
  const auto error = error_of([&] { loading::check_tokenizer(loading::open_model(folder.file("a"))); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("bpe_simple_vocab_16e6.txt.gz"));
}

}  // namespace
}  // namespace fjord
