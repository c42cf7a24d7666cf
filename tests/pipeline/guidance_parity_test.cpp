// Guidance against diffusers' pipelines and independent formulas. Expected values: tests/reference/guidance.py.
#include "loading/safetensors.h"
#include "loading/source.h"
#include "pipeline/guidance.h"
#include "pipeline/request_cases.h"
#include "pipeline/test_models.h"
#include "support/error_of.h"

#include <fjord/pipeline.h>

namespace fjord {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kGuidanceFolder[] = "guidance";

const nlohmann::json& guidance_cases() {
  static const auto cases = testing::read_cases(kGuidanceFolder);
  return cases;
}

at::Tensor recorded_tensor(const std::string& name) {
  const loading::Safetensors file(loading::open_file(FJORD_TEST_DATA "/guidance/tensors.safetensors"));
  const auto& entry = file.tensors().at(name);
  auto out = at::empty(entry.shape, at::kFloat);
  file.read_into(entry, name, out);
  return out;
}

const Pipeline& shipped() {
  static const auto pipeline = Pipeline::load(testing::tiny_model());
  return pipeline;
}

Request request_of(const std::string& name) {
  const auto& about = guidance_cases().at(name);
  Request request = testing::make_request(about);
  const auto& json = about.at("guidance_options");
  Guidance& options = request.guidance_options;
  options.schedule = json.value("schedule", options.schedule);
  options.perturbed_scale = json.value("perturbed_scale", 0.0);
  options.perturbed_adaptive_scale = json.value("perturbed_adaptive_scale", 0.0);
  options.perturbed_layers = json.value("perturbed_layers", options.perturbed_layers);
  options.heat_maps = json.value("heat_maps", false);
  const auto factors = json.value("free_u", std::vector<double>{1, 1, 1, 1});
  options.free_u = {factors[0], factors[1], factors[2], factors[3]};
  return request;
}

class GuidanceParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(GuidanceParityTest, PicturesMatchReference) {
  const auto images = shipped().generate(request_of(GetParam())).images;
  testing::expect_pictures(images, testing::recorded_images(kGuidanceFolder, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Cases, GuidanceParityTest, ::testing::ValuesIn(testing::case_names(guidance_cases())),
                         [](const auto& each) { return each.param; });

// Networks are compared in float32.
TEST(GuidanceFormulaTest, PredictionsMatchTheFormulas) {
  const auto u = recorded_tensor("without"), c = recorded_tensor("with_prompt"), i = recorded_tensor("with_image");
  const auto expect_near = [](const at::Tensor& actual, const std::string& name) {
    EXPECT_LE((actual - recorded_tensor(name)).abs().max().item<float>(),
              1e-5 * recorded_tensor(name).abs().max().item<float>())
        << name;
  };
  expect_near(pipeline::guide(u, c, 8.0, {.mimic_scale = 4.0}), "mimic");
  expect_near(pipeline::guide(u, c, 8.0, {.mimic_scale = 2.5, .mimic_percentile = 0.9}), "mimic_quantile");
  expect_near(pipeline::guide(u, c, 8.0, {.mimic_scale = 12.0}), "mimic_larger");
  expect_near(pipeline::guide_by_image(u, i, c, 7.5, 1.2), "dual");
}

// The words of "a gold crown on red cloth" are not one token each: a map is the sum over its tokens.
TEST(HeatMapTest, MapsMatchReference) {
  for (const auto* name : {"heat_maps", "heat_maps_batch"}) {
    const auto result = shipped().generate(request_of(name));
    const auto expected = recorded_tensor(name);
    std::vector<std::string> words;
    at::Tensor sum = at::zeros_like(expected.select(1, 0));
    std::int64_t tokens = 0;
    for (const auto& map : result.heat_maps) {
      words.push_back(map.word);
      const auto values = at::tensor(map.values.values).view(map.values.shape);
      ASSERT_EQ(values.sizes(), sum.sizes());
      sum = sum + values;
    }
    EXPECT_THAT(words, ElementsAre("a", "gold", "crown", "on", "red", "cloth"));
    const auto encoded = shipped().encode_prompt(result.request.prompt).positive.shape[1];
    EXPECT_EQ(expected.size(1), encoded);
    // The prompt's tokens lie between the begin token and the end token; their sum is that of all words.
    for (tokens = 1; tokens < encoded; ++tokens) {
      const auto partial = expected.narrow(1, 1, tokens).sum(1);
      if ((partial - sum).abs().max().item<float>() < 1e-5f) break;
    }
    EXPECT_LT(tokens, encoded) << "the words' maps are not a sum of the first tokens' maps";
    const auto first = at::tensor(result.heat_maps[0].values.values).view(sum.sizes());
    EXPECT_LE((first - expected.select(1, 1)).abs().max().item<float>(), 1e-5f);
  }
}

TEST(HeatMapTest, PicturesAreBrightWhereTheWordIsHeard) {
  const Image white{2, 1, std::vector<std::uint8_t>(6, 200)};
  const HeatMap map{"cup", 0, {{2, 1, 2}, {0.2F, 0.4F, 0.3F, 0.0F}}};
  EXPECT_THAT(highlight(white, map, 0).pixels, ElementsAre(115, 115, 115, 200, 200, 200));
  EXPECT_THAT(highlight(white, map, 1).pixels, ElementsAre(200, 200, 200, 30, 30, 30));
  EXPECT_THAT(testing::error_of([&] { highlight(white, map, 2); }).what(), HasSubstr("no image 2"));
}

TEST(HeatMapTest, ThereAreNoneWithoutWords) {
  auto request = request_of("heat_maps");
  request.embeddings = shipped().encode_prompt("a cup");
  const auto result = shipped().generate(request);
  EXPECT_TRUE(result.heat_maps.empty());
  ASSERT_EQ(result.warnings.size(), 1u);
  EXPECT_THAT(result.warnings[0], HasSubstr("no heat maps"));
  EXPECT_TRUE(shipped().generate(request_of("schedule")).heat_maps.empty());
}

TEST(GuidanceErrorTest, NamesTheLayersThatThereAre) {
  auto request = request_of("pag");
  request.guidance_options.perturbed_layers = {"mid", "blocks.7"};
  const auto error = testing::error_of([&] { shipped().generate(request); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), ::testing::AllOf(HasSubstr("blocks.7"), HasSubstr("attn1")));
  const auto images = shipped().generate(request_of("pag")).images;  // the next good request is served
  EXPECT_LE(testing::pixel_differences(images, testing::recorded_images(kGuidanceFolder, "pag")).max().item<int>(), 1);
}

}  // namespace
}  // namespace fjord
