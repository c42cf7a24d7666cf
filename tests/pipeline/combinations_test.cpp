// Every scheduler with every task of every family against diffusers, one small picture each.
// Expected values: tests/reference/combinations.py.
#include "pipeline/control_networks.h"
#include "pipeline/task_cases.h"
#include "pipeline/test_models.h"

namespace fjord::testing {
namespace {

constexpr char kFolder[] = "combinations";

const nlohmann::json& all_cases() {
  static const auto cases = read_cases(kFolder);
  return cases;
}

std::string folder_of(const std::string& model) {
  if (model == "random") return random_model();
  if (model == "inpaint") return inpainting_model();
  if (model == "xl_inpaint") return seeded_model("family_tasks/xl_inpaint");
  if (model == "one_text" || model == "two_texts") return seeded_model("pix2pix/" + model);
  return family_model(model);
}

const Pipeline& pipeline(const std::string& model) {
  static std::map<std::string, Pipeline> pipelines;
  const auto found = pipelines.find(model);
  if (found != pipelines.end()) return found->second;
  return pipelines.emplace(model, Pipeline::load(folder_of(model))).first->second;
}

Request make_combination(const nlohmann::json& json, const Pipeline& model) {
  auto request = make_task_request(json);
  request.guidance_options.image_scale = json.value("image_scale", 1.5);
  for (const auto& each : json.value("controls", nlohmann::json::array())) {
    const auto& seen = each.at("picture");
    request.controls.push_back(
        {model.load_control(control_folder(each.at("net"))), blotches(seen[0], seen[1], seen[2])});
  }
  return request;
}

class CombinationParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(CombinationParityTest, PicturesMatchReference) {
  const auto& json = all_cases().at(GetParam());
  const auto& model = pipeline(json.at("model"));
  expect_pictures(model.generate(make_combination(json, model)).images, recorded_images(kFolder, GetParam()));
  // For the table of combinations in docs/parity.md.
  RecordProperty("column", json.at("model").get<std::string>() + ", " + json.at("task").get<std::string>());
  RecordProperty("row", json.at("scheduler").get<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Cases, CombinationParityTest, ::testing::ValuesIn(case_names(all_cases())),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace fjord::testing
