// Single files in the original layout: full-size lists, small models bit by bit, what is found out about a file.
// Expected values: tests/reference/single_file.py, checked there against diffusers' converters.
#include "loading/original/single_file.h"
#include "loading/open_model.h"

#include "loading/checkpoint.h"
#include "loading/config_json.h"
#include "loading/json_text.h"
#include "loading/small_models.h"
#include "loading/sparse_file.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

#include <gmock/gmock.h>

#include <sstream>

namespace fjord {
namespace {

using loading::Checkpoint;
using loading::Source;
using nlohmann::json;
using testing::error_of;
using ::testing::HasSubstr;
using testing::Shapes;
using testing::small_model;
using testing::TempFolder;
using testing::Tensors;

std::string without_prefix(const std::string& name) { return name.starts_with("text_model.") ? name.substr(11) : name; }

json read_json(const Source& source, const std::string& name) {
  return loading::parse_json_object(loading::read_text(source, name, 1 << 20), name);
}

std::string stem_of(const std::string& part) { return part.starts_with("text") ? "model" : "diffusion_pytorch_model"; }

// Names and shapes of a published file.
Shapes published_file(const std::string& list) {
  Shapes out;
  for (const auto& line : testing::packed_lines(list + ".keys.gz")) {
    std::istringstream words(line);
    std::string name, sizes;
    words >> name >> sizes;
    auto& shape = out[name];
    std::istringstream numbers(sizes == "-" ? "" : sizes);
    for (std::string size; std::getline(numbers, size, ',');) shape.push_back(std::stoll(size));
  }
  return out;
}

struct FullSize {
  const char* list;
  const char* pipeline;
  std::map<std::string, std::string> parts;  // part -> list of diffusers' keys
};

void PrintTo(const FullSize& each, std::ostream* out) { *out << each.list; }

class FullSizeTest : public ::testing::TestWithParam<FullSize> {};

Shapes keys_in(const Source& source, const std::string& part) {
  const Checkpoint checkpoint(source, part, stem_of(part));
  Shapes out;
  for (const auto& name : checkpoint.names()) out[without_prefix(name)] = checkpoint.find(name)->shape;
  return out;
}

Shapes published_keys(const std::string& list) {
  return testing::read_packed_names(FJORD_TEST_DATA "/keys/" + list + ".keys", "text_model.");
}

// The published configuration says the same in all that the file's own one says, but for levels without transformers.
void expect_published(json config, const std::string& list, const std::string& part) {
  auto published = read_json(*loading::open_folder(FJORD_TEST_DATA "/keys"), list + ".json");
  for (auto* each : {&config, &published}) {
    if (part != "unet") continue;
    auto& depths = (*each)["transformer_layers_per_block"];
    if (depths.is_number()) depths = json((*each)["block_out_channels"].size(), depths);
    if (config["down_block_types"][0] == "DownBlock2D") depths[0] = 1;
    auto& heads = (*each)["attention_head_dim"];
    if (heads.is_number()) heads = json((*each)["block_out_channels"].size(), heads);
  }
  for (auto item = config.begin(); item != config.end(); ++item) {
    // Ids of tokens are those of the published folders, the lists are made with the class's defaults.
    if (item.key().ends_with("token_id") || item.key().starts_with("_")) continue;
    if (item.key() == "model_type" || item.key() == "sample_size" || item.key() == "projection_dim") continue;
    EXPECT_EQ(published[item.key()], *item) << part << ": " << item.key();
  }
}

TEST_P(FullSizeTest, NamesShapesAndConfigurationsAreThePublishedOnes) {
  const auto& [list, pipeline, parts] = GetParam();
  const TempFolder folder;
  testing::write_sparse_file(folder.file("model.safetensors"), published_file(list));
  const auto file = loading::open_single_file(loading::open_file(folder.file("model.safetensors")), {});
  EXPECT_EQ(file.task.pipeline, pipeline);
  EXPECT_EQ(read_json(*file.source, "model_index.json")["_class_name"], pipeline);
  for (const auto& [part, published] : parts) {
    EXPECT_THAT(keys_in(*file.source, part), ::testing::ContainerEq(published_keys(published))) << part;
    expect_published(read_json(*file.source, part + "/config.json"), published, part);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, FullSizeTest,
    ::testing::Values(FullSize{"sd15",
                               "StableDiffusionPipeline",
                               {{"unet", "unet_sd15"}, {"vae", "vae_sd15"}, {"text_encoder", "clip_l"}}},
                      FullSize{"sd15_inpainting",
                               "StableDiffusionInpaintPipeline",
                               {{"unet", "unet_sd15_inpainting"}, {"vae", "vae_sd15"}, {"text_encoder", "clip_l"}}},
                      FullSize{"sd15_pix2pix",
                               "StableDiffusionInstructPix2PixPipeline",
                               {{"unet", "unet_sd15_pix2pix"}, {"vae", "vae_sd15"}, {"text_encoder", "clip_l"}}},
                      FullSize{"sd21",
                               "StableDiffusionPipeline",
                               {{"unet", "unet_sd21"}, {"vae", "vae_sd21"}, {"text_encoder", "openclip_h"}}},
                      FullSize{"sdxl",
                               "StableDiffusionXLPipeline",
                               {{"unet", "unet_sdxl"},
                                {"vae", "vae_sdxl"},
                                {"text_encoder", "clip_l"},
                                {"text_encoder_2", "openclip_bigg"}}},
                      FullSize{
                          "sdxl_refiner",
                          "StableDiffusionXLImg2ImgPipeline",
                          {{"unet", "unet_sdxl_refiner"}, {"vae", "vae_sdxl"}, {"text_encoder_2", "openclip_bigg"}}}),
    [](const auto& each) { return std::string(each.param.list); });

// A single file on disk.
std::string written(const TempFolder& folder, const Tensors& tensors,
                    const std::map<std::string, std::string>& metadata = {}) {
  loading::write_safetensors(folder.file("model.safetensors"), tensors, metadata);
  return folder.file("model.safetensors");
}

class SmallFileTest : public ::testing::TestWithParam<const char*> {};

TEST_P(SmallFileTest, EveryPartIsBitEqualToTheFolders) {
  const TempFolder folder;
  const auto& model = small_model(GetParam());
  const auto opened = loading::open_model(written(folder, model.original));
  for (const auto& [part, tensors] : model.parts) {
    const Checkpoint checkpoint(*opened.source, part, stem_of(part));
    EXPECT_EQ(checkpoint.names().size(), tensors.size());
    for (const auto& name : checkpoint.names()) {
      const auto& expected = tensors.at(without_prefix(name));
      auto got = at::empty(checkpoint.find(name)->shape, at::kFloat);
      checkpoint.read_into(name, got);
      EXPECT_TRUE(got.equal(expected)) << part << ": " << name;
    }
  }
}

TEST_P(SmallFileTest, ItsConfigurationsSayWhatTheFoldersSay) {
  const TempFolder folder;
  const std::string name = GetParam();
  const auto opened = loading::open_model(written(folder, small_model(name).original));
  const auto reference = loading::open_folder(FJORD_TEST_DATA "/single_file/" + name);
  auto parts = small_model(name).parts;
  for (const auto& [part, tensors] : parts) {
    const auto expected = read_json(*reference, part + "/config.json");
    const auto config = read_json(*opened.source, part + "/config.json");
    for (auto item = config.begin(); item != config.end(); ++item) {
      auto wanted = expected[item.key()];
      auto got = *item;
      if (part == "unet" && wanted.is_array() && got.is_number()) got = json(wanted.size(), got);
      if (item.key() == "transformer_layers_per_block")
        continue;  // levels without transformers; bits are compared above
      EXPECT_EQ(got, wanted) << part << ": " << item.key();
    }
  }
  auto scheduler = read_json(*opened.source, "scheduler/scheduler_config.json");
  const auto expected = read_json(*reference, "scheduler/scheduler_config.json");
  for (auto item = expected.begin(); item != expected.end(); ++item) {
    if (!scheduler.contains(item.key())) continue;
    EXPECT_EQ(scheduler[item.key()], *item) << item.key();
  }
  const auto index = read_json(*opened.source, "model_index.json");
  const auto wanted = read_json(*reference, "model_index.json");
  for (auto item = wanted.begin(); item != wanted.end(); ++item) {
    if (item.key() == "_diffusers_version") continue;
    EXPECT_EQ(index.value(item.key(), json()), *item) << item.key();
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SmallFileTest, ::testing::Values("sd1", "sd2", "sdxl", "refiner"),
                         [](const auto& each) { return std::string(each.param); });

struct Found {
  std::string prediction, scheduler, spacing;
  bool zero_terminal_snr;
  size_t notes;
};

Found found(const std::string& model, const Tensors& more, const std::map<std::string, std::string>& metadata = {},
            const ModelFiles& options = {}) {
  const TempFolder folder;
  auto tensors = small_model(model).original;
  for (const auto& [name, tensor] : more) tensors[name] = tensor;
  const auto opened = loading::open_model(written(folder, tensors, metadata), options);
  const auto scheduler = read_json(*opened.source, "scheduler/scheduler_config.json");
  return {scheduler["prediction_type"], scheduler["_class_name"], scheduler.value("timestep_spacing", ""),
          scheduler.value("rescale_betas_zero_snr", false), opened.notes.size()};
}

TEST(PredictionTest, IsTheFamilysUnlessTheFileSaysOtherwise) {
  EXPECT_EQ(found("sd1", {}).prediction, "epsilon");
  EXPECT_EQ(found("sdxl", {}).prediction, "epsilon");
  EXPECT_EQ(found("sdxl", {}).notes, 0u);
  const auto second = found("sd2", {});
  EXPECT_EQ(second.prediction, "v_prediction");
  EXPECT_EQ(second.notes, 1u) << "an assumption must be told";
  EXPECT_EQ(found("sd2", {{"global_step", at::full({}, 875000, at::kLong)}}).prediction, "epsilon");
  EXPECT_EQ(found("sd2", {}, {{"modelspec.prediction_type", "epsilon"}}).prediction, "epsilon");
  EXPECT_EQ(found("sd1", {}, {{"modelspec.prediction_type", "v"}}).prediction, "v_prediction");
}

TEST(PredictionTest, MarkersTellVelocityAndPureNoiseAtTheEnd) {
  const auto nothing = at::empty({0});
  const auto velocity = found("sdxl", {{"v_pred", nothing}});
  EXPECT_EQ(velocity.prediction, "v_prediction");
  EXPECT_FALSE(velocity.zero_terminal_snr);
  const auto both = found("sdxl", {{"v_pred", nothing}, {"ztsnr", nothing}});
  EXPECT_TRUE(both.zero_terminal_snr);
  EXPECT_EQ(both.spacing, "trailing");
  EXPECT_EQ(found("sd1", {{"v_pred", nothing}, {"ztsnr", nothing}}).scheduler, "DDIMScheduler");
}

TEST(PredictionTest, TheCallerHasTheLastWord) {
  const auto nothing = at::empty({0});
  ModelFiles options;
  options.prediction_type = "epsilon";
  options.zero_terminal_snr = false;
  const auto asked = found("sd2", {{"v_pred", nothing}, {"ztsnr", nothing}}, {}, options);
  EXPECT_EQ(asked.prediction, "epsilon");
  EXPECT_FALSE(asked.zero_terminal_snr);
  EXPECT_EQ(asked.notes, 0u);
  options.prediction_type = "noise";
  EXPECT_EQ(error_of([&] { found("sd1", {}, {}, options); }).code(), ErrorCode::kInvalidArgument);
}

TEST(PredictionTest, IsPutIntoAFoldersSchedulerToo) {
  ModelFiles options;
  options.prediction_type = "sample";
  options.zero_terminal_snr = true;
  const auto opened = loading::open_model(FJORD_SOURCE_DIR "/weights/tiny", options);
  const auto scheduler = read_json(*opened.source, "scheduler/scheduler_config.json");
  EXPECT_EQ(scheduler["prediction_type"], "sample");
  EXPECT_EQ(scheduler["rescale_betas_zero_snr"], true);
  EXPECT_EQ(scheduler["_class_name"], "DDIMScheduler");
}

TEST(SingleFileTest, ASizeOfSecondVersionsNoisePredictorIsThatOfItsBaseModel) {
  const TempFolder folder;
  ModelFiles options;
  options.prediction_type = "epsilon";
  const auto path = written(folder, small_model("sd2").original);
  EXPECT_EQ(read_json(*loading::open_model(path, options).source, "unet/config.json")["sample_size"], 64);
  EXPECT_EQ(read_json(*loading::open_model(path).source, "unet/config.json")["sample_size"], 96);
}

TEST(SingleFileTest, ChannelsOfTheInputTellTheTask) {
  for (const auto& [channels, pipeline] : std::map<std::int64_t, std::string>{
           {8, "StableDiffusionInstructPix2PixPipeline"}, {9, "StableDiffusionInpaintPipeline"}}) {
    const TempFolder folder;
    auto tensors = small_model("sd1").original;
    tensors["model.diffusion_model.input_blocks.0.0.weight"] = at::zeros({32, channels, 3, 3});
    const auto opened = loading::open_model(written(folder, tensors));
    EXPECT_EQ(read_json(*opened.source, "model_index.json")["_class_name"], pipeline);
    EXPECT_EQ(read_json(*opened.source, "unet/config.json")["in_channels"], channels);
  }
}

}  // namespace
}  // namespace fjord
