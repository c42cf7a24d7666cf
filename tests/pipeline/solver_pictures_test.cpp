// Whole pictures with every scheduler of tests/reference/solver_pictures.py against diffusers'.
#include "pipeline/request_cases.h"
#include "pipeline/test_models.h"

#include <fjord/pipeline.h>

namespace fjord {
namespace {

constexpr char kSolverFolder[] = "solver_pictures";

const nlohmann::json& solver_cases() {
  static const auto cases = testing::read_cases(kSolverFolder);
  return cases;
}

class SolverPicturesTest : public ::testing::TestWithParam<std::string> {};

TEST_P(SolverPicturesTest, PicturesMatchReference) {
  static const auto tiny = Pipeline::load(testing::tiny_model());
  const auto images = tiny.generate(testing::make_request(solver_cases().at(GetParam()))).images;
  testing::expect_pictures(images, testing::recorded_images(kSolverFolder, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Cases, SolverPicturesTest, ::testing::ValuesIn(testing::case_names(solver_cases())),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace fjord
