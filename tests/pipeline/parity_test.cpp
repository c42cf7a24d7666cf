// Whole pipelines against diffusers' StableDiffusionPipeline: every byte of every picture.
// Expected values: tests/reference/pipelines.py.
#include "pipeline/request_cases.h"
#include "pipeline/test_models.h"

#include <fjord/pipeline.h>

#include <tuple>

namespace fjord {
namespace {

using testing::make_request;
using testing::pixel_differences;

constexpr char kFolder[] = "pipelines";

const nlohmann::json& all_cases() {
  static const auto cases = testing::read_cases(kFolder);
  return cases;
}

at::Tensor expected_images(const std::string& name) { return testing::recorded_images(kFolder, name); }

const Pipeline& pipeline(const std::string& model) {
  static const auto tiny = Pipeline::load(testing::tiny_model());
  static const auto random = Pipeline::load(testing::random_model());
  return model == "tiny" ? tiny : random;
}

double mean_of(const at::Tensor& values) { return values.to(at::kDouble).mean().item<double>(); }

using Case = std::tuple<std::string, std::string>;  // model, case

class PipelineParityTest : public ::testing::TestWithParam<Case> {};

TEST_P(PipelineParityTest, PicturesMatchReference) {
  const auto& [model, name] = GetParam();
  const auto images = pipeline(model).generate(make_request(all_cases().at(name))).images;
  testing::expect_pictures(images, expected_images(model + "." + name));
}

INSTANTIATE_TEST_SUITE_P(Cases, PipelineParityTest,
                         ::testing::Combine(::testing::Values("tiny", "random"),
                                            ::testing::ValuesIn(testing::case_names(all_cases()))),
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
  const double error = mean_of(pixel_differences(images, exact));
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
