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

// Pixel differences of a request's pictures from an expected [images, height, width, 3], all in levels of 255.
at::Tensor differences(const std::vector<Image>& images, const at::Tensor& expected) {
  std::vector<at::Tensor> out;
  for (const auto& image : images) {
    out.push_back(at::tensor(image.pixels).to(at::kInt).reshape({image.height, image.width, 3}));
  }
  return (at::stack(out) - expected.to(at::kInt)).abs();
}

double mean_of(const at::Tensor& values) { return values.to(at::kDouble).mean().item<double>(); }

using Case = std::tuple<std::string, std::string>;  // model, case

class PipelineParityTest : public ::testing::TestWithParam<Case> {};

TEST_P(PipelineParityTest, PicturesMatchReference) {
  const auto& [model, name] = GetParam();
  const auto images = pipeline(model).generate(make_request(all_cases().at(name))).images;
  const auto expected = expected_images(model + "." + name);
  ASSERT_EQ(static_cast<std::int64_t>(images.size()), expected.size(0));
  ASSERT_EQ(images[0].height, expected.size(1));
  ASSERT_EQ(images[0].width, expected.size(2));
  const auto difference = differences(images, expected);
  RecordProperty("levels", difference.max().item<int>());
  RecordProperty("equal", std::to_string(mean_of(difference.eq(0))));
  EXPECT_LE(difference.max().item<int>(), 1);
  for (std::int64_t i = 0; i < difference.size(0); ++i) EXPECT_GE(mean_of(difference[i].eq(0)), 0.995) << "image " << i;
}

INSTANTIATE_TEST_SUITE_P(Cases, PipelineParityTest,
                         ::testing::Combine(::testing::Values("tiny", "random"), ::testing::ValuesIn(case_names())),
                         [](const auto& item) { return std::get<0>(item.param) + "_" + std::get<1>(item.param); });

// No bfloat16 picture is exact; fjord's must lie as near to the float32 one as the reference's own does.
class BFloat16ParityTest : public ::testing::TestWithParam<const char*> {};

TEST_P(BFloat16ParityTest, PicturesAreAsNearToFloat32AsTheReference) {
  static const auto tiny = [] {
    LoadOptions options;
    options.precision = Precision::kBFloat16;
    return Pipeline::load(testing::tiny_model(), options);
  }();
  const std::string name = GetParam();
  const auto exact = expected_images("tiny." + name);
  const auto images = tiny.generate(make_request(all_cases().at(name))).images;
  const double error = mean_of(differences(images, exact));
  const double reference_error = mean_of((expected_images("bfloat16." + name).to(at::kInt) - exact.to(at::kInt)).abs());
  RecordProperty("error", std::to_string(error));
  RecordProperty("reference_error", std::to_string(reference_error));
  EXPECT_GT(error, 0.0) << "bfloat16 was not used";
  EXPECT_LE(error, 2 * reference_error);
}

INSTANTIATE_TEST_SUITE_P(Cases, BFloat16ParityTest,
                         ::testing::Values("own_scheduler", "dpm_plus_plus_128", "batch", "rescale"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace fjord
