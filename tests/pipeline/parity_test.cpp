// Whole pipelines against diffusers' StableDiffusionPipeline: every byte of every picture.
// Expected values: tests/reference/pipelines.py.
#include "loading/json_text.h"
#include "loading/safetensors.h"
#include "loading/source.h"
#include "pipeline/test_models.h"

#include <fjord/pipeline.h>

#include <tuple>

namespace fjord {
namespace {

using Json = nlohmann::json;

const std::string kFolder = FJORD_TEST_DATA "/pipelines";

const Json& all_cases() {
  static const Json cases =
      loading::parse_json_object(loading::read_text(*loading::open_folder(kFolder), "cases.json", 1 << 20), "cases");
  return cases;
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (auto item = all_cases().begin(); item != all_cases().end(); ++item) names.push_back(item.key());
  return names;
}

Request make_request(const Json& json) {
  Request request;
  request.prompt = json.at("prompt").get<std::string>();
  request.negative_prompt = json.value("negative_prompt", "");
  request.width = json.at("width").get<int>();
  request.height = json.at("height").get<int>();
  request.steps = json.at("steps").get<int>();
  request.guidance = json.at("guidance").get<double>();
  request.guidance_rescale = json.value("guidance_rescale", 0.0);
  request.seed = json.at("seed").get<std::uint64_t>();
  request.images = json.value("images", 1);
  request.per_image_seeds = json.value("per_image_seeds", false);
  request.scheduler = json.value("scheduler", "");
  request.timesteps = json.value("timesteps", std::vector<double>());
  const auto options = json.value("options", Json::object());
  for (const auto& [key, value] : options.items()) request.scheduler_options[key] = value.dump();
  return request;
}

at::Tensor expected_images(const std::string& name) {
  static const loading::Safetensors file(loading::open_file(kFolder + "/images.safetensors"));
  const auto& entry = file.tensors().at(name);
  auto out = at::empty(entry.shape, at::kByte);
  file.read_into(entry, name, out);
  return out;
}

const Pipeline& pipeline(const std::string& model) {
  static const auto tiny = Pipeline::load(testing::tiny_model());
  static const auto random = Pipeline::load(testing::random_model());
  return model == "tiny" ? tiny : random;
}

using Case = std::tuple<std::string, std::string>;  // model, case

class PipelineParityTest : public ::testing::TestWithParam<Case> {};

TEST_P(PipelineParityTest, PicturesMatchReference) {
  const auto& [model, name] = GetParam();
  const auto images = pipeline(model).generate(make_request(all_cases().at(name))).images;
  const auto expected = expected_images(model + "." + name);
  ASSERT_EQ(static_cast<std::int64_t>(images.size()), expected.size(0));
  for (size_t i = 0; i < images.size(); ++i) {
    ASSERT_EQ(images[i].height, expected.size(1));
    ASSERT_EQ(images[i].width, expected.size(2));
    const auto wanted = expected[static_cast<std::int64_t>(i)].reshape({-1}).to(at::kInt);
    const auto difference = (at::tensor(images[i].pixels).to(at::kInt) - wanted).abs();
    EXPECT_LE(difference.max().item<int>(), 1) << "image " << i;
    EXPECT_GE(difference.eq(0).to(at::kDouble).mean().item<double>(), 0.995) << "image " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, PipelineParityTest,
                         ::testing::Combine(::testing::Values("tiny", "random"), ::testing::ValuesIn(case_names())),
                         [](const auto& item) { return std::get<0>(item.param) + "_" + std::get<1>(item.param); });

}  // namespace
}  // namespace fjord
