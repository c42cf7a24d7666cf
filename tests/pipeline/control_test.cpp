// Pictures that ControlNets and T2I-Adapters steer, against diffusers' pipelines; their files in every layout; and what
// is refused. Expected values: tests/reference/control.py.
#include "loading/safetensors.h"
#include "pipeline/control_networks.h"
#include "pipeline/task_cases.h"
#include "pipeline/test_models.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>

namespace fjord::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kFolder[] = "control";
constexpr double kHeard = 1.0;  // levels of 255 on average; parity allows 0.005 of the values to differ by one

const Json& all_cases() {
  static const auto cases = read_cases(kFolder);
  return cases;
}

const Pipeline& model(const std::string& name) {
  if (name == "sdxl" || name == "sd2") return family_pipeline(name);
  static const auto tiny = Pipeline::load(tiny_model());
  static const auto random = Pipeline::load(random_model());
  static const auto inpaint = Pipeline::load(inpainting_model());
  return name == "tiny" ? tiny : (name == "random" ? random : inpaint);
}

Control load(const Pipeline& pipeline, const std::string& name) { return pipeline.load_control(control_folder(name)); }

ControlUse make_use(const Json& json, const Pipeline& pipeline) {
  ControlUse use;
  use.control = load(pipeline, json.at("net"));
  use.image = blotches(json.at("picture")[0], json.at("picture")[1], json.at("picture")[2]);
  use.scale = json.value("scale", 1.0);
  use.begin = json.value("begin", 0.0);
  use.end = json.value("end", 1.0);
  use.hide_painted = json.value("hide", false);
  return use;
}

Request make_control_request(const Json& json, const Pipeline& pipeline) {
  auto request = make_task_request(json);
  for (const auto& each : json.at("controls")) request.controls.push_back(make_use(each, pipeline));
  request.guess_mode = json.value("guess", false);
  return request;
}

class ControlParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ControlParityTest, PicturesMatchReference) {
  const auto& json = all_cases().at(GetParam());
  const auto& pipeline = model(json.at("model"));
  expect_pictures(pipeline.generate(make_control_request(json, pipeline)).images, recorded_images(kFolder, GetParam()));
}

// What the comparison above is worth: without the networks, and with other pictures for them, it would fail.
TEST_P(ControlParityTest, PicturesWouldTellDeafness) {
  const auto& json = all_cases().at(GetParam());
  const auto& pipeline = model(json.at("model"));
  const auto expected = recorded_images(kFolder, GetParam());
  auto request = make_control_request(json, pipeline);
  for (auto& use : request.controls) use.image = blotches(use.image.width, use.image.height, 77);
  EXPECT_GE(mean_difference(pipeline.generate(request).images, expected), kHeard);
  request.controls.clear();
  request.guess_mode = false;
  EXPECT_GE(mean_difference(pipeline.generate(request).images, expected), kHeard);
}

INSTANTIATE_TEST_SUITE_P(Cases, ControlParityTest, ::testing::ValuesIn(case_names(all_cases())),
                         [](const auto& each) { return each.param; });

// A small request with one network of the tiny model.
Request request_with(const Control& control) {
  Request request;
  request.prompt = "a gold crown on red cloth";
  request.width = 64;
  request.height = 32;
  request.steps = 3;
  request.seed = 3;
  request.controls = {{control, blotches(64, 32, 9)}};
  return request;
}

Request request_with(const std::string& network) { return request_with(load(model("tiny"), network)); }

std::vector<std::uint8_t> pixels(const Request& request, const std::string& name = "tiny") {
  return model(name).generate(request).images.at(0).pixels;
}

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
  const auto& pipeline = model(model_name);
  auto request = request_with(load(pipeline, name));
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
  const auto& notes = model("tiny").load_control(written(folder, control_tensors("tiny_net"))).info().notes;
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes[0], HasSubstr("global_pool_conditions to be false"));
  EXPECT_TRUE(load(model("tiny"), "tiny_net").info().notes.empty());
}

// The weights' file of a folder has its configuration beside it.
TEST(ControlFileTest, TheConfigurationBesideAFileCounts) {
  const auto path = control_folder("tiny_pooled") + "/diffusion_pytorch_model.safetensors";
  const auto control = model("tiny").load_control(path);
  EXPECT_TRUE(control.info().notes.empty());
  EXPECT_EQ(pixels(request_with(control)), pixels(request_with("tiny_pooled")));
}

TEST(ControlFileTest, AWholeModelBesideTheControlNetIsLeftAlone) {
  const TempFolder folder;
  auto tensors = original_control_tensors("tiny_net");
  tensors["model.diffusion_model.out.0.weight"] = at::zeros({4});
  tensors["cond_stage_model.x"] = at::zeros({4});
  const auto control = model("tiny").load_control(written(folder, tensors));
  EXPECT_THAT(control.info().notes.back(), HasSubstr("a whole model beside the ControlNet"));
  EXPECT_EQ(pixels(request_with(control)), pixels(request_with("tiny_net")));
  tensors["odd"] = at::zeros({4});
  const auto error = error_of([&] { model("tiny").load_control(written(folder, tensors)); });
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
  const auto control = model("tiny").load_control(storage);
  EXPECT_EQ(control.info().path, "the storage");
  EXPECT_EQ(pixels(request_with(control)), pixels(request_with("tiny_net")));
  const auto error = error_of([&] { model("tiny").load_control(memory_storage({{"config.json", config}})); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
}

TEST(ControlFileTest, TellsWhatItIs) {
  const auto net = load(model("tiny"), "tiny_net").info();
  EXPECT_EQ(net.kind, ControlKind::kControlNet);
  EXPECT_EQ(net.path, control_folder("tiny_net"));
  std::uint64_t numbers = 0;
  for (const auto& [name, tensor] : control_tensors("tiny_net")) numbers += static_cast<std::uint64_t>(tensor.numel());
  EXPECT_EQ(net.parameters, numbers);
  const auto gray = load(model("random"), "random_gray").info();
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
  const auto error = error_of([&] { model("tiny").load_control(path); });
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

struct BadUse {
  const char* name;
  void (*change)(Request&);
  const char* message;
};

class BadControlTest : public ::testing::TestWithParam<BadUse> {};

// One sentence, and the next good request gives the same picture.
TEST_P(BadControlTest, IsRefused) {
  static const auto good = pixels(request_with("tiny_net"));
  auto request = request_with("tiny_net");
  GetParam().change(request);
  const auto error = error_of([&] { pixels(request); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  EXPECT_EQ(error_of([&] { model("tiny").plan(request); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(pixels(request_with("tiny_net")), good);
}

void put_into_a_hole(Request& request) {
  request.image_input.images = {blotches(64, 32, 1)};
  request.image_input.inpaint.mask = blob(64, 32, {16, 8, 40, 30});
}

INSTANTIATE_TEST_SUITE_P(
    All, BadControlTest,
    ::testing::Values(
        BadUse{"empty", [](Request& r) { r.controls[0].control = {}; }, "is empty; load it first"},
        BadUse{"other_pipeline", [](Request& r) { r.controls[0].control = load(model("random"), "random_net"); },
               "was loaded for another pipeline"},
        BadUse{"nine", [](Request& r) { r.controls.resize(9, r.controls[0]); }, "at most 8 control networks, got 9"},
        BadUse{"scale_nan", [](Request& r) { r.controls[0].scale = NAN; }, "must be from 0 to 100"},
        BadUse{"scale_large", [](Request& r) { r.controls[0].scale = 101; }, "from 0 to 100, got 101"},
        BadUse{"scale_negative", [](Request& r) { r.controls[0].scale = -0.1; }, "from 0 to 100, got -0.1"},
        BadUse{"begin", [](Request& r) { r.controls[0].begin = -0.1; }, "heard from 0 to 1"},
        BadUse{"end", [](Request& r) { r.controls[0].end = 1.1; }, "heard from 0 to 1"},
        BadUse{"backwards", [](Request& r) { r.controls[0].begin = 0.6, r.controls[0].end = 0.4; }, "not backwards"},
        BadUse{"no_picture", [](Request& r) { r.controls[0].image = {}; }, "needs a picture"},
        BadUse{"short_picture", [](Request& r) { r.controls[0].image.pixels.pop_back(); }, "must have 6144 bytes"},
        BadUse{"flat_picture", [](Request& r) { r.controls[0].image.height = 0; }, "1 to 8192 pixels a side"},
        BadUse{"nothing_to_hide", [](Request& r) { r.controls[0].hide_painted = true; }, "there is nothing to hide"},
        BadUse{"adapter_hides",
               [](Request& r) {
                 put_into_a_hole(r);
                 r.controls[0].control = load(model("tiny"), "tiny_adapter");
                 r.controls[0].hide_painted = true;
               },
               "is a T2I-Adapter"},
        BadUse{"squares",
               [](Request& r) {
                 r.controls[0].control = load(model("tiny"), "tiny_adapter");
                 r.width = 72;
               },
               "needs a width and height that 16 divides, got 72x32"},
        BadUse{"squares_of_the_second_pass",
               [](Request& r) {
                 r.controls[0].control = load(model("tiny"), "tiny_adapter");
                 r.hires.scale = 1.25;
               },
               "that 16 divides, got 80x40"},
        BadUse{"elsewhere",
               [](Request& r) {
                 put_into_a_hole(r);
                 r.image_input.inpaint.region = PaintRegion::kNative;
                 r.controls[0].image = blotches(63, 32, 9);
               },
               "must have the size of the picture with its margins, 64x32, got 63x32"}),
    [](const auto& each) { return each.param.name; });

TEST(ControlTest, WithoutAVoiceItChangesNothing) {
  auto request = request_with("tiny_net");
  const auto heard = pixels(request);
  auto plain = request;
  plain.controls.clear();
  const auto expected = pixels(plain);
  EXPECT_NE(heard, expected);
  request.controls[0].scale = 0;
  EXPECT_EQ(pixels(request), expected);
  request.controls[0].scale = 1;
  request.controls[0].end = 0;
  EXPECT_EQ(pixels(request), expected);
  request.controls[0].control = load(model("tiny"), "tiny_adapter");
  EXPECT_EQ(pixels(request), expected);
}

TEST(ControlTest, TheResultsRequestGivesTheSamePicture) {
  const auto first = model("tiny").generate(request_with("tiny_net"));
  EXPECT_EQ(pixels(first.request), first.images.at(0).pixels);
}

// The request's own picture, in whole and where a region is cut out, as if it had been given.
TEST(ControlTest, AnInpaintingControlNetSeesTheRequestsOwnPicture) {
  for (const auto region : {PaintRegion::kWhole, PaintRegion::kFitted, PaintRegion::kNative}) {
    auto request = request_with("tiny_net");
    put_into_a_hole(request);
    request.image_input.inpaint.region = region;
    request.controls[0].hide_painted = true;
    request.controls[0].image = request.image_input.images[0];
    const auto given = pixels(request);
    request.controls[0].image = {};
    EXPECT_EQ(pixels(request), given);
    request.controls[0].hide_painted = false;
    request.controls[0].image = request.image_input.images[0];
    EXPECT_NE(pixels(request), given);
  }
}

// Every picture of a batch has its own: that of two pictures at once is that of each alone.
TEST(ControlTest, OwnPicturesBelongToTheImagesTheyStart) {
  auto request = request_with("tiny_net");
  put_into_a_hole(request);
  request.image_input.images.push_back(blotches(64, 32, 2));
  request.controls[0].hide_painted = true;
  request.controls[0].image = {};
  request.per_image_seeds = true;
  const auto both = model("tiny").generate(request).images;
  ASSERT_EQ(both.size(), 2u);
  request.image_input.images.erase(request.image_input.images.begin());
  request.seed += 1;
  const auto second = pixels(request);
  int largest = 0;
  for (size_t i = 0; i < second.size(); ++i) largest = std::max(largest, std::abs(second[i] - both[1].pixels[i]));
  EXPECT_LE(largest, 1);
}

TEST(ControlTest, ControlNetsAndT2IAdaptersAreHeardTogether) {
  auto request = request_with("tiny_net");
  const auto net = pixels(request);
  request.controls.push_back({load(model("tiny"), "tiny_adapter"), blotches(64, 32, 4)});
  const auto both = pixels(request);
  EXPECT_NE(both, net);
  std::swap(request.controls[0], request.controls[1]);
  EXPECT_EQ(pixels(request), both);
}

// Guidance by perturbed attention runs the branch with the prompt twice; where nothing is perturbed this adds nothing.
TEST(ControlTest, ThePerturbedBranchHearsWhatThePromptsBranchHears) {
  for (const bool guess : {false, true}) {
    auto request = request_with("tiny_net");
    request.guess_mode = guess;
    const auto plain = model("tiny").generate(request).images;
    request.guidance_options.perturbed_scale = 1e-9;
    const auto perturbed = model("tiny").generate(request).images;
    EXPECT_LE(pixel_differences(perturbed, at::tensor(plain[0].pixels).reshape({1, 32, 64, 3})).max().item<int>(), 1);
  }
}

TEST(ControlTest, ApproximationsWorkWithControls) {
  const auto exact = model("tiny").generate(request_with("tiny_net")).images;
  const auto expected = at::tensor(exact[0].pixels).reshape({1, 32, 64, 3});
  const auto difference = [&](const Approximation& approximation) {
    auto request = request_with("tiny_net");
    request.steps = 3;
    request.approximation = approximation;
    return mean_difference(model("tiny").generate(request).images, expected);
  };
  for (const int branch : {0, 2, model("tiny").info().skip_connections - 1}) {
    const auto cached = difference({.cache_interval = 2, .cache_branch = branch});
    EXPECT_GT(cached, 0) << branch;
    EXPECT_LT(cached, 40) << branch;
  }
  EXPECT_LT(difference({.guidance_every = 2}), 40);
  EXPECT_LT(difference({.text_gate = 0.7}), 40);
  EXPECT_LT(difference({.merge_ratio = 0.3}), 40);
}

// Along a closed axis nothing knows where the border is: neither the control picture's network nor the rest.
TEST(ControlTest, ATextureGoesOnWhereItEnds) {
  auto request = request_with("tiny_net");
  request.width = request.height = 64;
  request.scheduler = "DDIMScheduler";
  request.seamless = {true, true};
  const auto noise = at::randn({1, 4, 8, 8}, at::kFloat);
  const auto seen = at::tensor(blotches(64, 64, 9).pixels).reshape({64, 64, 3});
  const auto picture_of = [&](const at::Tensor& latents, const at::Tensor& control) {
    const auto flat = latents.contiguous(), bytes = control.contiguous();
    request.latents = {{1, 4, 8, 8}, {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()}};
    request.controls[0].image = {
        64, 64, {bytes.const_data_ptr<std::uint8_t>(), bytes.const_data_ptr<std::uint8_t>() + bytes.numel()}};
    return at::tensor(pixels(request)).to(at::kInt).reshape({64, 64, 3});
  };
  const auto expected = picture_of(noise, seen).roll({32, 32}, {0, 1});
  const auto moved = picture_of(noise.roll({4, 4}, {2, 3}), seen.roll({32, 32}, {0, 1}));
  EXPECT_LE((moved - expected).abs().max().item<int>(), 1);
}

TEST(ControlTest, ASecondPassHearsItAtItsOwnSize) {
  auto request = request_with("tiny_net");
  request.hires.scale = 1.5;
  const auto with = model("tiny").generate(request).images.at(0);
  EXPECT_EQ(with.width, 96);
  request.controls[0].image = blotches(64, 32, 10);
  EXPECT_NE(pixels(request), with.pixels);
}

// Requests with other controls, or none, run beside each other and give what they give alone.
TEST(ControlTest, ThreadsDoNotMeddle) {
  std::vector<Request> requests(4, request_with("tiny_net"));
  requests[1].controls[0].control = load(model("tiny"), "tiny_other");
  requests[2].controls.clear();
  requests[3].controls[0].control = load(model("tiny"), "tiny_adapter");
  std::vector<std::vector<std::uint8_t>> alone;
  for (const auto& request : requests) alone.push_back(pixels(request));
  std::vector<std::future<std::vector<std::uint8_t>>> running;
  for (const auto& request : requests) {
    running.push_back(std::async(std::launch::async, [&request] { return pixels(request); }));
  }
  for (size_t i = 0; i < running.size(); ++i) EXPECT_EQ(running[i].get(), alone[i]) << i;
}

TEST(ControlTest, WorksInBFloat16) {
  LoadOptions options;
  options.precision = Precision::kBFloat16;
  const auto half = Pipeline::load(tiny_model(), options);
  for (const char* name : {"one", "guess", "hole", "adapter"}) {
    const auto& json = all_cases().at(name);
    const auto images = half.generate(make_control_request(json, half)).images;
    EXPECT_LT(mean_difference(images, recorded_images(kFolder, name)), 20.0) << name;
  }
}

TEST(ControlTest, TheMemoryPlanKnowsOfIt) {
  auto request = request_with("tiny_net");
  const auto with = model("tiny").plan(request);
  const auto control = request.controls[0];
  request.controls.clear();
  const auto without = model("tiny").plan(request);
  EXPECT_EQ(with.weights - without.weights, control.control.info().parameters * sizeof(float));
  EXPECT_GT(with.denoising, without.denoising);
  request.controls = {control, control};
  const auto twice = model("tiny").plan(request);
  EXPECT_EQ(twice.weights, with.weights);
  EXPECT_GT(twice.denoising, with.denoising);
  request.memory_budget = with.weights;
  EXPECT_EQ(error_of([&] { model("tiny").plan(request); }).code(), ErrorCode::kOutOfMemory);
}

}  // namespace
}  // namespace fjord::testing
