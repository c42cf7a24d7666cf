// Files of control networks in every layout, and those that are refused.
#include "loading/safetensors.h"
#include "pipeline/control_requests.h"
#include "pipeline/test_models.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace fjord::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

std::string written(const TempFolder& folder, const NamedTensors& tensors,
                    const std::string& name = "net.safetensors") {
  loading::write_safetensors(folder.file(name), tensors);
  return folder.file(name);
}

class ControlFileTest : public ::testing::TestWithParam<const char*> {};

// A single file, in diffusers' names and in those of the authors, is what the folder is.
TEST_P(ControlFileTest, EveryLayoutMakesTheFoldersPicture) {
  const TempFolder folder;
  const std::string name = GetParam(), model_name = name.substr(0, name.find('_'));
  const auto& pipeline = control_model(model_name);
  auto request = request_with(load_control(pipeline, name));
  const auto expected = pixels(request, model_name);
  for (const auto& tensors : {control_tensors(name), original_control_tensors(name)}) {
    const auto control = pipeline.load_control(written(folder, tensors));
    EXPECT_EQ(control.info().kind, request.controls[0].control.info().kind);
    EXPECT_EQ(control.info().type, request.controls[0].control.info().type);
    EXPECT_EQ(control.info().parameters, request.controls[0].control.info().parameters);
    auto again = request;
    again.controls[0].control = control;
    EXPECT_EQ(pixels(again, model_name), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ControlFileTest,
                         ::testing::Values("tiny_net", "sdxl_net", "tiny_adapter", "random_adapter", "random_light"),
                         [](const auto& each) { return std::string(each.param); });

TEST(ControlFileTest, ASingleFileSaysWhatItAssumes) {
  const TempFolder folder;
  const auto control = control_model("tiny").load_control(written(folder, control_tensors("tiny_net")));
  const auto& notes = control.info().notes;
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes[0], HasSubstr("global_pool_conditions to be false"));
  EXPECT_TRUE(load_control(control_model("tiny"), "tiny_net").info().notes.empty());
}

// The weights' file of a folder has its configuration beside it.
TEST(ControlFileTest, TheConfigurationBesideAFileCounts) {
  const auto path = control_folder("tiny_pooled") + "/diffusion_pytorch_model.safetensors";
  const auto control = control_model("tiny").load_control(path);
  EXPECT_TRUE(control.info().notes.empty());
  EXPECT_EQ(pixels(request_with(control)), pixels(request_with("tiny_pooled")));
}

TEST(ControlFileTest, AWholeModelBesideTheControlNetIsLeftAlone) {
  const TempFolder folder;
  auto tensors = original_control_tensors("tiny_net");
  tensors["model.diffusion_model.out.0.weight"] = at::zeros({4});
  tensors["cond_stage_model.x"] = at::zeros({4});
  const auto control = control_model("tiny").load_control(written(folder, tensors));
  EXPECT_THAT(control.info().notes.back(), HasSubstr("a whole model beside the ControlNet"));
  EXPECT_EQ(pixels(request_with(control)), pixels(request_with("tiny_net")));
  tensors["odd"] = at::zeros({4});
  const auto error = error_of([&] { control_model("tiny").load_control(written(folder, tensors)); });
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_THAT(error.what(), HasSubstr("\"odd\", which belongs neither"));
}

std::vector<std::byte> bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

TEST(ControlFileTest, ComesFromTheHostsStorageToo) {
  const auto folder = control_folder("tiny_net");
  const auto config = bytes_of(folder + "/config.json"),
             weights = bytes_of(folder + "/diffusion_pytorch_model.safetensors");
  const auto storage = memory_storage({{"config.json", config}, {"diffusion_pytorch_model.safetensors", weights}});
  const auto control = control_model("tiny").load_control(storage);
  EXPECT_EQ(control.info().path, "the storage");
  EXPECT_EQ(pixels(request_with(control)), pixels(request_with("tiny_net")));
  const auto error = error_of([&] { control_model("tiny").load_control(memory_storage({{"config.json", config}})); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
}

TEST(ControlFileTest, TellsWhatItIs) {
  const auto net = load_control(control_model("tiny"), "tiny_net").info();
  EXPECT_EQ(net.kind, ControlKind::kControlNet);
  EXPECT_EQ(net.path, control_folder("tiny_net"));
  std::uint64_t numbers = 0;
  for (const auto& [name, tensor] : control_tensors("tiny_net")) numbers += static_cast<std::uint64_t>(tensor.numel());
  EXPECT_EQ(net.parameters, numbers);
  const auto gray = load_control(control_model("random"), "random_gray").info();
  EXPECT_EQ(gray.kind, ControlKind::kT2IAdapter);
  EXPECT_EQ(gray.type, "full_adapter");
  EXPECT_EQ(gray.picture_channels, 1);
  EXPECT_EQ(Control().info().parameters, 0u);
}

struct BadFile {
  const char* name;
  ErrorCode code;
  const char* message;
  std::string (*make)(const TempFolder&);
};

std::string with_config(const TempFolder& folder, const std::string& network, const Json& patch) {
  auto config = control_json(network);
  config.merge_patch(patch);
  std::filesystem::copy(control_folder(network), folder.file("net"));
  folder.write("net/config.json", config.dump());
  return folder.file("net");
}

class BadControlFileTest : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadControlFileTest, IsRefusedInOneSentence) {
  const TempFolder folder;
  const auto path = GetParam().make(folder);
  const auto error = error_of([&] { control_model("tiny").load_control(path); });
  EXPECT_EQ(error.code(), GetParam().code);
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(All, BadControlFileTest,
                         ::testing::Values(BadFile{"missing", ErrorCode::kNotFound, "nowhere",
                                                   [](const TempFolder& f) { return f.file("nowhere"); }},
                                           BadFile{"empty_folder", ErrorCode::kNotFound,
                                                   "there is no control network: expected",
                                                   [](const TempFolder& f) { return f.path(); }},
                                           BadFile{"whole_model", ErrorCode::kUnsupported,
                                                   "is a whole model; expected a ControlNet",
                                                   [](const TempFolder&) { return tiny_model(); }},
                                           BadFile{"unet_folder", ErrorCode::kUnsupported,
                                                   "got \"UNet2DConditionModel\"",
                                                   [](const TempFolder&) { return tiny_model() + "/unet"; }},
                                           BadFile{"unet_file", ErrorCode::kUnsupported,
                                                   "is a U-Net; expected a ControlNet",
                                                   [](const TempFolder&) {
                                                     return tiny_model() + "/unet/diffusion_pytorch_model.safetensors";
                                                   }},
                                           BadFile{"vae_file", ErrorCode::kUnsupported, "is a VAE",
                                                   [](const TempFolder&) {
                                                     return tiny_model() + "/vae/diffusion_pytorch_model.safetensors";
                                                   }},
                                           BadFile{
                                               "lora", ErrorCode::kUnsupported, "is a LoRA",
                                               [](const TempFolder& f) {
                                                 return written(f, {{"lora_unet_x.lora_up.weight", at::zeros({1})}});
                                               }},
                                           BadFile{"control_lora", ErrorCode::kUnsupported, "is a Control-LoRA",
                                                   [](const TempFolder& f) {
                                                     return written(f, {{"lora_controlnet", at::zeros({1})}});
                                                   }},
                                           BadFile{"union", ErrorCode::kUnsupported, "is a ControlNet union",
                                                   [](const TempFolder& f) {
                                                     auto tensors = control_tensors("tiny_net");
                                                     tensors["task_embedding"] = at::zeros({6, 4});
                                                     return written(f, tensors);
                                                   }},
                                           BadFile{"difference", ErrorCode::kUnsupported,
                                                   "differences from a model's weights",
                                                   [](const TempFolder& f) {
                                                     auto tensors = original_control_tensors("tiny_net");
                                                     tensors["control_model.difference"] = at::zeros({1});
                                                     return written(f, tensors);
                                                   }},
                                           BadFile{"nothing_known", ErrorCode::kUnsupported,
                                                   "the first of its 1 tensors is \"odd\"",
                                                   [](const TempFolder& f) {
                                                     return written(f, {{"odd", at::zeros({1})}});
                                                   }},
                                           BadFile{"no_safetensors", ErrorCode::kBadFile, "net.bin",
                                                   [](const TempFolder& f) {
                                                     return f.write("net.bin", "neither this nor that");
                                                   }},
                                           BadFile{"other_channels", ErrorCode::kBadFile,
                                                   "expected a ControlNet for a U-Net with the channels [64, 96, 96], "
                                                   "as the "
                                                   "model has, got one for [32, 64, 64]",
                                                   [](const TempFolder&) { return control_folder("random_net"); }},
                                           BadFile{"other_channels_file", ErrorCode::kBadFile,
                                                   "as the model has, got one for [32, 64, 96]",
                                                   [](const TempFolder& f) {
                                                     return written(f, control_tensors("sdxl_net"));
                                                   }},
                                           BadFile{
                                               "other_layers", ErrorCode::kBadFile,
                                               "with the layers [1, 1, 1] in its levels, as the model's U-Net has, got "
                                               "[2, 2, 2]",
                                               [](const TempFolder& f) {
                                                 return with_config(f, "tiny_net", {{"layers_per_block", 2}});
                                               }},
                                           BadFile{"other_text", ErrorCode::kBadFile,
                                                   "text of 128 features, as the model has, got one for 40",
                                                   [](const TempFolder& f) {
                                                     return with_config(f, "tiny_net", {{"cross_attention_dim", 40}});
                                                   }},
                                           BadFile{"pooled_text", ErrorCode::kBadFile, "expects pooled text and sizes",
                                                   [](const TempFolder& f) {
                                                     return with_config(
                                                         f, "tiny_net",
                                                         {{"addition_embed_type", "text_time"},
                                                          {"addition_time_embed_dim", 8},
                                                          {"projection_class_embeddings_input_dim", 68}});
                                                   }},
                                           BadFile{"classes", ErrorCode::kUnsupported, "without class conditions",
                                                   [](const TempFolder& f) {
                                                     return with_config(f, "tiny_net", {{"num_class_embeds", 5}});
                                                   }},
                                           BadFile{"four_channels", ErrorCode::kUnsupported,
                                                   "pictures of 1 or 3 channels, got 4",
                                                   [](const TempFolder& f) {
                                                     return with_config(f, "tiny_net", {{"conditioning_channels", 4}});
                                                   }},
                                           BadFile{"other_size", ErrorCode::kBadFile,
                                                   "make a picture smaller by 8, as the model's latents are, got 4",
                                                   [](const TempFolder& f) {
                                                     return with_config(
                                                         f, "tiny_net",
                                                         {{"conditioning_embedding_out_channels", {8, 8, 16}}});
                                                   }},
                                           BadFile{"nine_channels", ErrorCode::kBadFile,
                                                   "sees 4 channels, as the model's latents have, got 9",
                                                   [](const TempFolder& f) {
                                                     return with_config(f, "tiny_net", {{"in_channels", 9}});
                                                   }},
                                           BadFile{"channel_order", ErrorCode::kUnsupported, "rgb or bgr, got \"gbr\"",
                                                   [](const TempFolder& f) {
                                                     return with_config(
                                                         f, "tiny_net",
                                                         {{"controlnet_conditioning_channel_order", "gbr"}});
                                                   }},
                                           BadFile{
                                               "unknown_option", ErrorCode::kUnsupported, "\"odd_option\"",
                                               [](const TempFolder& f) {
                                                 return with_config(f, "tiny_net", {{"odd_option", 1}});
                                               }},
                                           BadFile{"other_adapter", ErrorCode::kBadFile,
                                                   "takes 64 channels at 1/16, 96 channels at 1/16, 96 channels at "
                                                   "1/32; got "
                                                   "one that gives 32 channels at 1/8",
                                                   [](const TempFolder&) { return control_folder("random_adapter"); }},
                                           BadFile{
                                               "adapter_type", ErrorCode::kUnsupported, "got \"heavy_adapter\"",
                                               [](const TempFolder& f) {
                                                 return with_config(f, "tiny_adapter",
                                                                    {{"adapter_type", "heavy_adapter"}});
                                               }},
                                           BadFile{"missing_tensor",
                                                   ErrorCode::kBadFile, "1 missing: controlnet_mid_block.bias",
                                                   [](const TempFolder& f) {
                                                     auto tensors = control_tensors("tiny_net");
                                                     tensors.erase("controlnet_mid_block.bias");
                                                     return written(f, tensors);
                                                   }},
                                           BadFile{"unknown_tensor",
                                                   ErrorCode::kBadFile, "1 unexpected: \"adapter.odd\"",
                                                   [](const TempFolder& f) {
                                                     auto tensors = control_tensors("tiny_adapter");
                                                     tensors["adapter.odd"] = at::zeros({1});
                                                     return written(f, tensors);
                                                   }},
                                           BadFile{"unknown_99_percent", ErrorCode::kBadFile, "unexpected: \"junk.0\"",
                                                   [](const TempFolder& f) {
                                                     auto tensors = control_tensors("tiny_net");
                                                     const auto count = 99 * tensors.size();
                                                     for (size_t i = 0; i < count; ++i) {
                                                       tensors["junk." + std::to_string(i)] = at::zeros({1});
                                                     }
                                                     return written(f, tensors);
                                                   }},
                                           BadFile{"leads_out",
                                                   ErrorCode::kBadFile, "1 unexpected: \"../../etc/passwd\"",
                                                   [](const TempFolder& f) {
                                                     auto tensors = control_tensors("tiny_net");
                                                     tensors["../../etc/passwd"] = at::zeros({1});
                                                     return written(f, tensors);
                                                   }},
                                           BadFile{"two_families", ErrorCode::kBadFile, "misshaped",
                                                   [](const TempFolder& f) {
                                                     auto tensors = control_tensors("tiny_net");
                                                     for (const auto& [name, tensor] : control_tensors("random_net")) {
                                                       if (name.starts_with("time_embedding.")) tensors[name] = tensor;
                                                     }
                                                     return written(f, tensors);
                                                   }},
                                           BadFile{"no_numbers", ErrorCode::kBadFile, "controlnet_mid_block.bias",
                                                   [](const TempFolder& f) {
                                                     auto tensors = control_tensors("tiny_net");
                                                     tensors["controlnet_mid_block.bias"] = at::zeros({0});
                                                     return written(f, tensors);
                                                   }},
                                           BadFile{"not_finite", ErrorCode::kBadFile,
                                                   "NaN or infinity in the tensor \"controlnet_mid_block.bias\"",
                                                   [](const TempFolder& f) {
                                                     auto tensors = control_tensors("tiny_net");
                                                     tensors["controlnet_mid_block.bias"][0] = NAN;
                                                     return written(f, tensors);
                                                   }},
                                           BadFile{"uneven_adapter", ErrorCode::kBadFile,
                                                   "no whole T2I-Adapter: its 7 layers make no equal blocks of 2",
                                                   [](const TempFolder& f) {
                                                     auto tensors = original_control_tensors("tiny_adapter");
                                                     std::erase_if(tensors, [](const auto& item) {
                                                       return item.first.starts_with("body.7.");
                                                     });
                                                     return written(f, tensors);
                                                   }}),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace fjord::testing
