// Approximations of whole runs against a loop over diffusers' classes: every byte of every picture.
// Expected values: tests/reference/approximations.py.
#include "pipeline/request_cases.h"
#include "pipeline/test_models.h"

namespace fjord {
namespace {

constexpr char kFolder[] = "approximations";

const Pipeline& tiny() {
  static const auto pipeline = Pipeline::load(testing::tiny_model());
  return pipeline;
}

const nlohmann::json& all_cases() {
  static const auto cases = testing::read_cases(kFolder);
  return cases;
}

class ApproximationParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ApproximationParityTest, PicturesMatchReference) {
  const auto request = testing::make_request(all_cases().at(GetParam()));
  testing::expect_pictures(tiny().generate(request).images, testing::recorded_images(kFolder, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Cases, ApproximationParityTest, ::testing::ValuesIn(testing::case_names(all_cases())),
                         [](const auto& each) { return each.param; });

Request small_request() {
  Request request;
  request.prompt = "a blue gem on a white background";
  request.width = request.height = 64;
  request.steps = 6;
  return request;
}

// Settings that leave nothing out give the picture to the bit.
TEST(ApproximationTest, NeutralSettingsChangeNothing) {
  const auto wanted = tiny().generate(small_request()).images.at(0).pixels;
  auto request = small_request();
  request.approximation.cache_branch = 3;
  request.approximation.text_gate = 0.999;
  request.approximation.merge_ratio = 1e-9;
  EXPECT_EQ(tiny().generate(request).images.at(0).pixels, wanted);
  request.guidance = 1.0;
  const auto unguided = tiny().generate(request).images.at(0).pixels;
  request.approximation.guidance_every = 3;
  request.approximation.guidance_end = 0.5;
  EXPECT_EQ(tiny().generate(request).images.at(0).pixels, unguided);
}

TEST(ApproximationTest, TheResultCarriesThem) {
  auto request = small_request();
  request.approximation.cache_interval = 2;
  EXPECT_EQ(tiny().generate(request).request.approximation.cache_interval, 2);
}

TEST(ApproximationTest, WorkInBFloat16) {
  LoadOptions options;
  options.precision = Precision::kBFloat16;
  const auto pipeline = Pipeline::load(testing::tiny_model(), options);
  const auto request = testing::make_request(all_cases().at("all"));
  const auto difference =
      testing::pixel_differences(pipeline.generate(request).images, testing::recorded_images(kFolder, "all"));
  EXPECT_LT(difference.to(at::kDouble).mean().item<double>(), 12.0);
}

}  // namespace
}  // namespace fjord
