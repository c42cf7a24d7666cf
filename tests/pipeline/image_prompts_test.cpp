// Requests with pictures as prompts: pictures against diffusers, side by side, taken off again, and what is refused.
// Expected values: tests/reference/image_prompts.py.
#include "pipeline/image_prompts.h"

#include "loading/safetensors.h"
#include "models/seeded_image_adapter.h"
#include "pipeline/task_cases.h"
#include "pipeline/test_models.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>

namespace fjord {
namespace {

namespace fs = std::filesystem;

using testing::blob;
using testing::blotches;
using testing::error_of;
using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kFolder[] = "image_prompts";

const Json& all_cases() {
  static const auto cases = testing::read_cases(kFolder);
  return cases;
}

// The adapters' files with the image encoder beside them.
const testing::TempFolder& files() {
  static const testing::TempFolder folder;
  static const bool written = [] {
    for (const char* name : {"whole", "plus", "full", "xl_whole", "xl_plus"}) {
      testing::write_image_adapter(name, folder.file(name) + ".safetensors");
    }
    testing::write_image_encoder("encoder", folder.file("image_encoder"));
    return true;
  }();
  EXPECT_TRUE(written);
  return folder;
}

std::string path_of(const std::string& name) { return files().file(name) + ".safetensors"; }

const Pipeline& pipeline(const std::string& model) {
  static const auto random = Pipeline::load(testing::random_model());
  static const auto editing = Pipeline::load(testing::seeded_model("pix2pix/one_text"));
  if (model == "sdxl") return testing::family_pipeline("sdxl");
  return model == "random" ? random : editing;
}

ImagePrompt make_prompt(const Pipeline& model, const Json& json) {
  ImagePrompt prompt;
  prompt.adapter = model.load_image_adapter(path_of(json.at("adapter")));
  for (const auto& each : json.at("pictures")) prompt.images.push_back(blotches(each[0], each[1], each[2]));
  prompt.scale = json.at("scale");
  prompt.layer_scales = json.value("layer_scales", std::map<std::string, double>());
  const auto size = json.value("mask_size", std::vector<int>{64, 48});
  for (const auto& box : json.value("masks", Json::array())) {
    prompt.masks.push_back(blob(size.at(0), size.at(1), box.get<std::vector<int>>()));
  }
  return prompt;
}

Request make_request(const Pipeline& model, const Json& json) {
  auto request = testing::make_request(json);
  for (const auto& each : json.at("prompts")) request.image_prompts.push_back(make_prompt(model, each));
  request.guidance_options.perturbed_scale = json.value("perturbed_scale", 0.0);
  if (json.contains("start")) {
    const auto& start = json.at("start");
    request.image_input.images = {blotches(start[0], start[1], start[2])};
    if (json.contains("strength")) request.image_input.strength = json.at("strength").get<double>();
  }
  return request;
}

class ImagePromptParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ImagePromptParityTest, PicturesMatchReference) {
  const auto& json = all_cases().at(GetParam());
  const auto& model = pipeline(json.at("model"));
  testing::expect_pictures(model.generate(make_request(model, json)).images,
                           testing::recorded_images(kFolder, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Cases, ImagePromptParityTest, ::testing::ValuesIn(testing::case_names(all_cases())),
                         [](const auto& each) { return each.param; });

class EncoderPixelsTest : public ::testing::TestWithParam<std::string> {};

std::vector<std::string> recorded_pixels() {
  const loading::Safetensors file(loading::open_file(FJORD_TEST_DATA "/image_prompts/pixels.safetensors"));
  std::vector<std::string> names;
  for (const auto& [name, entry] : file.tensors()) names.push_back(name);
  return names;
}

// "width.height.seed.side": what the reference's processor makes of that picture.
TEST_P(EncoderPixelsTest, MatchReference) {
  int width = 0, height = 0, seed = 0, side = 0;
  ASSERT_EQ(std::sscanf(GetParam().c_str(), "%d.%d.%d.%d", &width, &height, &seed, &side), 4);
  const loading::Safetensors file(loading::open_file(FJORD_TEST_DATA "/image_prompts/pixels.safetensors"));
  auto expected = at::empty({1, 3, side, side});
  file.read_into(file.tensors().at(GetParam()), GetParam(), expected);
  const auto pixels = pipeline::encoder_pixels({blotches(width, height, static_cast<std::uint32_t>(seed))}, side);
  EXPECT_LE((pixels - expected).abs().max().item<double>(), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Cases, EncoderPixelsTest, ::testing::ValuesIn(recorded_pixels()), [](const auto& each) {
  auto name = each.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

const Pipeline& model() { return pipeline("random"); }

Request request_of(const char* name) { return make_request(model(), all_cases().at(name)); }

std::vector<std::uint8_t> pixels(const Request& request) { return model().generate(request).images.at(0).pixels; }

TEST(ImagePromptTest, PicturesOnPlainOperatorsEqualTheReference) {
  const auto plain = Pipeline::load(testing::random_model(), {.cpu_kernels = "reference"});
  for (const char* name : {"whole", "plus", "masks"}) {
    testing::expect_pictures(plain.generate(make_request(plain, all_cases().at(name))).images,
                             testing::recorded_images(kFolder, name));
  }
}

TEST(ImagePromptTest, ScaleZeroAndRemovalAreExact) {
  const auto base = pixels(request_of("none"));
  for (const char* name : {"whole", "plus", "masks"}) {
    auto request = request_of(name);
    EXPECT_NE(pixels(request), base) << name;
    request.image_prompts[0].scale = 0;
    EXPECT_EQ(pixels(request), base) << name;
    EXPECT_EQ(pixels(request_of("none")), base) << name;
  }
}

TEST(ImagePromptTest, FourThreadsEqualTheSerialResultsBitForBit) {
  std::vector<Request> requests;
  std::vector<std::vector<std::uint8_t>> serial;
  for (const char* name : {"none", "whole", "plus", "masks"}) {
    requests.push_back(request_of(name));
    serial.push_back(pixels(requests.back()));
  }
  std::vector<std::future<std::vector<std::uint8_t>>> running;
  for (const auto& request : requests) {
    running.push_back(std::async(std::launch::async, [&request] { return pixels(request); }));
  }
  for (size_t i = 0; i < running.size(); ++i) EXPECT_EQ(running[i].get(), serial[i]) << i;
}

// A mask everywhere is none; the same pictures one by one with masks are the sum of two prompts.
TEST(ImagePromptTest, MasksOfTheWholePictureAreNone) {
  auto request = request_of("whole");
  const auto without = pixels(request);
  request.image_prompts[0].masks = {blob(64, 48, {0, 0, 64, 48})};
  EXPECT_EQ(pixels(request), without);
  request.image_prompts[0].masks = {blob(64, 48, {0, 0, 0, 0})};
  EXPECT_EQ(pixels(request), pixels(request_of("none")));
}

// Shortcuts that repeat what the text said repeat what the pictures said.
TEST(ImagePromptTest, WorksWithTheApproximations) {
  auto request = request_of("whole");
  request.steps = 4;
  const auto exact = pixels(request);
  request.approximation.text_gate = 0.5;
  request.approximation.cache_interval = 2;
  const auto near = pixels(request);
  EXPECT_NE(near, exact);
  request.image_prompts.clear();
  EXPECT_NE(near, pixels(request));
}

TEST(ImagePromptTest, AdaptersShareTheirEncoder) {
  const auto adapter = model().load_image_adapter(path_of("whole"));
  const auto again = model().load_image_adapter(path_of("plus"), files().file("image_encoder") + "/");
  EXPECT_EQ(adapter.info().tokens, 4);
  EXPECT_EQ(adapter.info().image_size, 30);
  EXPECT_FALSE(adapter.info().fine);
  EXPECT_EQ(again.info().tokens, 5);
  EXPECT_TRUE(again.info().fine);
  EXPECT_EQ(model().load_image_adapter(path_of("full")).info().tokens, 26);
  EXPECT_EQ(adapter.info().layers, again.info().layers);
  EXPECT_GT(adapter.info().layers, 5);
  EXPECT_EQ(ImageAdapter().info().layers, 0);
}

TEST(ImagePromptTest, SurvivesItsPipeline) {
  ImagePrompt prompt;
  {
    const auto other = Pipeline::load(testing::random_model());
    prompt = make_prompt(other, all_cases().at("whole").at("prompts").at(0));
  }
  auto request = request_of("none");
  request.image_prompts = {prompt};
  const auto error = error_of([&] { model().generate(request); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("was loaded for another pipeline"));
}

struct BadPrompt {
  const char* name;
  void (*change)(ImagePrompt&);
  const char* message;
};

class BadImagePromptTest : public ::testing::TestWithParam<BadPrompt> {};

TEST_P(BadImagePromptTest, IsRefused) {
  auto request = request_of("masks");
  GetParam().change(request.image_prompts[0]);
  const auto error = error_of([&] { model().generate(request); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadImagePromptTest,
    ::testing::Values(
        BadPrompt{"empty", [](ImagePrompt& p) { p.adapter = {}; }, "adapter of an image prompt is empty"},
        BadPrompt{"no_picture", [](ImagePrompt& p) { p.images.clear(); }, "1 to 16 pictures, got 0"},
        BadPrompt{"many_pictures", [](ImagePrompt& p) { p.images.resize(17, p.images[0]); }, "got 17"},
        BadPrompt{"short_pixels", [](ImagePrompt& p) { p.images[0].pixels.pop_back(); }, "must have 9216 bytes"},
        BadPrompt{"no_size", [](ImagePrompt& p) { p.images[0].width = 0; }, "1 to 8192 pixels a side, got 0x48"},
        BadPrompt{"thread",
                  [](ImagePrompt& p) {
                    p.images[0] = {200, 2, std::vector<std::uint8_t>(1200)};
                  },
                  "64 times as long as short, got 200x2"},
        BadPrompt{"scale_nan", [](ImagePrompt& p) { p.scale = NAN; }, "must be from -100 to 100"},
        BadPrompt{"scale_large", [](ImagePrompt& p) { p.scale = 101; }, "must be from -100 to 100, got 101"},
        BadPrompt{"layer_scale", [](ImagePrompt& p) { p.layer_scales["mid"] = INFINITY; }, "must be from -100 to 100"},
        BadPrompt{"no_layer", [](ImagePrompt& p) { p.layer_scales["up_blocks.7"] = 1; },
                  "no layer of the U-Net that attends to text has \"up_blocks.7\""},
        BadPrompt{"masks", [](ImagePrompt& p) { p.masks.pop_back(); }, "one mask for each of its 2 pictures"},
        BadPrompt{"short_mask", [](ImagePrompt& p) { p.masks[0].values.pop_back(); }, "must have 3072 bytes"}),
    [](const auto& each) { return each.param.name; });

TEST(ImagePromptTest, TakesSixteen) {
  auto request = request_of("whole");
  request.image_prompts.resize(17, request.image_prompts[0]);
  EXPECT_THAT(error_of([&] { model().generate(request); }).what(), HasSubstr("at most 16 image prompts, got 17"));
}

using Tensors = std::map<std::string, at::Tensor>;

Tensors tensors_of(const std::string& path) {
  const loading::Safetensors file(loading::open_file(path));
  Tensors out;
  for (const auto& [name, entry] : file.tensors()) {
    out[name] = at::empty(entry.shape);
    file.read_into(entry, name, out[name]);
  }
  return out;
}

struct BadFile {
  const char* name;
  void (*change)(Tensors&);
  ErrorCode code;
  const char* message;
};

class BadImageAdapterTest : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadImageAdapterTest, IsRefused) {
  auto tensors = tensors_of(path_of("whole"));
  GetParam().change(tensors);
  const testing::TempFolder folder;
  loading::write_safetensors(folder.file("bad.safetensors"), tensors);
  const auto error =
      error_of([&] { model().load_image_adapter(folder.file("bad.safetensors"), files().file("image_encoder")); });
  EXPECT_EQ(error.code(), GetParam().code) << error.what();
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
}

void only_under(Tensors& tensors, const std::string& prefix) {
  std::erase_if(tensors, [&](const auto& each) { return !each.first.starts_with(prefix); });
}

INSTANTIATE_TEST_SUITE_P(
    All, BadImageAdapterTest,
    ::testing::Values(
        BadFile{"empty", [](Tensors& file) { file.clear(); }, ErrorCode::kBadFile, "got 0 tensors of other names"},
        BadFile{"one_half", [](Tensors& file) { only_under(file, "image_proj."); }, ErrorCode::kBadFile,
                "none of the second"},
        BadFile{"other_half", [](Tensors& file) { only_under(file, "ip_adapter."); }, ErrorCode::kBadFile,
                "none of the first"},
        BadFile{"a_lora",
                [](Tensors& file) {
                  file = {{"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight", at::zeros({2, 4})}};
                },
                ErrorCode::kBadFile, "expected an IP-Adapter"},
        BadFile{"a_control_net",
                [](Tensors& file) {
                  file = {{"control_model.zero_convs.0.0.weight", at::zeros({2, 4})}};
                },
                ErrorCode::kUnsupported, "seems to be a ControlNet"},
        BadFile{"a_face",
                [](Tensors& file) {
                  file["ip_adapter.0.to_k_lora.down.weight"] = at::zeros({2, 4});
                },
                ErrorCode::kUnsupported, "FaceID"},
        BadFile{"a_face_plus",
                [](Tensors& file) {
                  file["image_proj.perceiver_resampler.proj_in.weight"] = at::zeros({2, 4});
                },
                ErrorCode::kUnsupported, "FaceID Plus"},
        BadFile{"a_projection_of_a_face",
                [](Tensors& file) {
                  file.erase("image_proj.proj.weight");
                  file["image_proj.proj.0.weight"] = at::zeros({2, 4});
                },
                ErrorCode::kUnsupported, "FaceID"},
        BadFile{"missing", [](Tensors& file) { file.erase("ip_adapter.3.to_v_ip.weight"); }, ErrorCode::kBadFile,
                "1 missing: ip_adapter.3.to_v_ip.weight"},
        BadFile{"unexpected",
                [](Tensors& file) {
                  file["ip_adapter.2.to_v_ip.weight"] = at::zeros({2, 4});
                },
                ErrorCode::kBadFile, "1 unexpected: \"ip_adapter.2.to_v_ip.weight\""},
        BadFile{"misshaped",
                [](Tensors& file) {
                  file["ip_adapter.1.to_k_ip.weight"] = at::zeros({32, 31});
                },
                ErrorCode::kBadFile, "1 misshaped: ip_adapter.1.to_k_ip.weight"},
        BadFile{"another_rank", [](Tensors& file) { file["image_proj.proj.weight"] = at::zeros({32}); },
                ErrorCode::kBadFile, "must have 2 dimensions, got [32]"},
        BadFile{"odd_rows",
                [](Tensors& file) {
                  file["image_proj.proj.weight"] = at::zeros({33, 20});
                },
                ErrorCode::kBadFile, "a multiple of 32 rows, got 33"},
        BadFile{"nan", [](Tensors& file) { file["ip_adapter.1.to_k_ip.weight"][0][0] = NAN; }, ErrorCode::kBadFile,
                "NaN or infinity in the tensor \"ip_adapter.1.to_k_ip.weight\""}),
    [](const auto& each) { return each.param.name; });

TEST(ImageAdapterTest, OfAnotherFamilyIsRefused) {
  const auto error = error_of([] { model().load_image_adapter(path_of("xl_whole")); });
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_THAT(error.what(), HasSubstr("makes tokens of 56 features, this model's layers take 32"));
}

TEST(ImageAdapterTest, WithoutItsEncoderIsRefused) {
  const testing::TempFolder folder;
  const auto alone = folder.file("whole.safetensors");
  testing::write_image_adapter("whole", alone);
  const auto refusal = [&](const std::string& encoder) {
    return error_of([&] { model().load_image_adapter(alone, encoder); });
  };
  EXPECT_EQ(refusal("").code(), ErrorCode::kNotFound);
  EXPECT_THAT(refusal("").what(), HasSubstr("needs its image encoder"));
  EXPECT_EQ(refusal(folder.path()).code(), ErrorCode::kNotFound);
  EXPECT_THAT(refusal(folder.path()).what(), HasSubstr("expected an image encoder, with config.json"));
  EXPECT_EQ(refusal(folder.file("none")).code(), ErrorCode::kNotFound);
  EXPECT_THAT(refusal(testing::random_model() + "/text_encoder").what(), HasSubstr("CLIPVisionModelWithProjection"));
}

TEST(ImageAdapterTest, WithAnotherEncoderIsRefused) {
  const testing::TempFolder folder;
  testing::write_image_encoder("encoder", folder.path());
  auto config = Json::parse(std::ifstream(folder.file("config.json")));
  config["projection_dim"] = 24;
  std::ofstream(folder.file("config.json")) << config.dump();
  auto tensors = tensors_of(folder.file("model.safetensors"));
  tensors["visual_projection.weight"] = at::zeros({24, 32});
  loading::write_safetensors(folder.file("model.safetensors"), tensors);
  const auto error = error_of([&] { model().load_image_adapter(path_of("whole"), folder.path()); });
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_THAT(error.what(), HasSubstr("gives 20 numbers for a picture, that in"));
  EXPECT_NO_THROW(model().load_image_adapter(path_of("plus"), folder.path()));
  fs::remove(folder.file("model.safetensors"));
  EXPECT_EQ(error_of([&] { model().load_image_adapter(path_of("whole"), folder.path()); }).code(),
            ErrorCode::kNotFound);
  std::ofstream(folder.file("pytorch_model.bin")) << "PK";
  EXPECT_THAT(error_of([&] { model().load_image_adapter(path_of("whole"), folder.path()); }).what(),
              HasSubstr("is a Python pickle"));
}

TEST(ImageAdapterTest, AFileOfAnotherKindIsRefused) {
  const testing::TempFolder folder;
  const auto pickle = folder.write("adapter.bin", std::string("\x80\x02}q\x00", 5) + std::string(100, 'x'));
  EXPECT_EQ(error_of([&] { model().load_image_adapter(pickle); }).code(), ErrorCode::kUnsupported);
  EXPECT_EQ(error_of([&] { model().load_image_adapter(folder.file("none")); }).code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace fjord
