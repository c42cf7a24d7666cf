// Files of IP-Adapters and image encoders that are refused: one clear sentence each.
#include "pipeline/image_adapter_files.h"

#include "loading/safetensors.h"
#include "models/seeded_image_adapter.h"
#include "pipeline/test_models.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>

namespace fjord {
namespace {

namespace fs = std::filesystem;

using testing::error_of;
using ::testing::HasSubstr;
using testing::image_adapter_path;
using testing::image_encoder_folder;
using Json = nlohmann::json;

const Pipeline& model() {
  static const auto random = Pipeline::load(testing::random_model());
  return random;
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
  auto tensors = tensors_of(image_adapter_path("whole"));
  GetParam().change(tensors);
  const testing::TempFolder folder;
  loading::write_safetensors(folder.file("bad.safetensors"), tensors);
  const auto error =
      error_of([&] { model().load_image_adapter(folder.file("bad.safetensors"), image_encoder_folder()); });
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
        BadFile{"unknown_99_percent",
                [](Tensors& file) {
                  const auto count = 99 * file.size();
                  for (size_t i = 0; i < count; ++i) file["junk." + std::to_string(i)] = at::zeros({1});
                },
                ErrorCode::kBadFile, "unexpected: \"junk.0\""},
        BadFile{"leads_out", [](Tensors& file) { file["ip_adapter.1.../../etc/passwd"] = at::zeros({1}); },
                ErrorCode::kBadFile, "1 unexpected: \"ip_adapter.1.../../etc/passwd\""},
        BadFile{"two_families",
                [](Tensors& file) {
                  for (const auto& [name, tensor] : tensors_of(image_adapter_path("xl_whole"))) {
                    if (name.starts_with("ip_adapter.1.")) file[name] = tensor;
                  }
                },
                ErrorCode::kBadFile, "misshaped: ip_adapter.1.to_k_ip.weight"},
        BadFile{"no_numbers",
                [](Tensors& file) {
                  file["image_proj.proj.weight"] = at::zeros({0, 20});
                },
                ErrorCode::kBadFile, "must have 1 to 1048576 numbers a dimension, got [0, 20]"},
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
  const auto error = error_of([] { model().load_image_adapter(image_adapter_path("xl_whole")); });
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
  const auto error = error_of([&] { model().load_image_adapter(image_adapter_path("whole"), folder.path()); });
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_THAT(error.what(), HasSubstr("gives 20 numbers for a picture, that in"));
  EXPECT_NO_THROW(model().load_image_adapter(image_adapter_path("plus"), folder.path()));
  fs::remove(folder.file("model.safetensors"));
  EXPECT_EQ(error_of([&] { model().load_image_adapter(image_adapter_path("whole"), folder.path()); }).code(),
            ErrorCode::kNotFound);
  std::ofstream(folder.file("pytorch_model.bin")) << "PK";
  EXPECT_THAT(error_of([&] { model().load_image_adapter(image_adapter_path("whole"), folder.path()); }).what(),
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
