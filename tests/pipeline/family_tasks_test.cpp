// Image to image, inpainting, second passes, adapters and perturbed attention with models of two text encoders and of
// v-prediction, and image to image by schedulers of second order, against diffusers: every byte of every picture.
// Expected values: tests/reference/family_tasks.py.
#include "adapters/seeded_adapter.h"
#include "loading/json_text.h"
#include "loading/source.h"
#include "pipeline/task_cases.h"
#include "pipeline/test_models.h"
#include "support/temp_folder.h"

namespace fjord {
namespace {

using Json = nlohmann::json;

constexpr char kFolder[] = "family_tasks";

const Json& all_cases() {
  static const auto cases = testing::read_cases(kFolder);
  return cases;
}

const Pipeline& pipeline(const std::string& model) {
  static const auto tiny = Pipeline::load(testing::tiny_model());
  static const auto inpaint = Pipeline::load(testing::seeded_model("family_tasks/xl_inpaint"));
  if (model == "tiny") return tiny;
  return model == "xl_inpaint" ? inpaint : testing::family_pipeline(model);
}

// The path of an adapter's file, written once.
std::string adapter_path(const std::string& name) {
  static const testing::TempFolder folder;
  static std::map<std::string, std::string> paths;
  if (!paths.contains(name)) {
    const auto text = loading::read_text(*loading::open_folder(FJORD_TEST_DATA "/family_tasks"), "files.json", 1 << 20);
    paths[name] = testing::write_adapter(loading::parse_json_object(text, "files").at(name), folder.file(name));
  }
  return paths.at(name);
}

void read_sizes(const Json& json, MicroConditions& micro) {
  if (json.contains("scores")) {
    micro.aesthetic_score = json.at("scores").at(0);
    micro.negative_aesthetic_score = json.at("scores").at(1);
  }
  if (!json.contains("sizes")) return;
  const auto& sizes = json.at("sizes");
  const auto at = [&](const char* key, size_t i) { return sizes.at(key).at(i).get<int>(); };
  micro.sizes = {at("original_size", 0), at("original_size", 1), at("crop", 0),
                 at("crop", 1),          at("target_size", 0),   at("target_size", 1)};
}

Request make_request(const Pipeline& model, const Json& json) {
  auto request = testing::make_task_request(json);
  read_sizes(json, request.micro);
  auto& guidance = request.guidance_options;
  guidance.perturbed_scale = json.value("perturbed_scale", 0.0);
  guidance.perturbed_layers = json.value("perturbed_layers", guidance.perturbed_layers);
  for (const auto& each : json.value("embeddings", Json::array())) {
    request.adapters.push_back({model.load_embedding(adapter_path(each[0]), each[1].get<std::vector<std::string>>())});
  }
  for (const auto& each : json.value("adapters", Json::array())) {
    request.adapters.push_back({model.load_adapter(adapter_path(each[0])), each[1], each[2]});
  }
  return request;
}

class FamilyTaskParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(FamilyTaskParityTest, PicturesMatchReference) {
  const auto& json = all_cases().at(GetParam());
  const auto& model = pipeline(json.at("model"));
  testing::expect_pictures(model.generate(make_request(model, json)).images,
                           testing::recorded_images(kFolder, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Cases, FamilyTaskParityTest, ::testing::ValuesIn(testing::case_names(all_cases())),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace fjord
