// The networks' approximations against diffusers' layers run by hand, whole tensors, float32.
// Expected values: tests/reference/approximations.py.
#include "core/check.h"
#include "models/unet_cases.h"
#include "support/seeded_weights.h"

#include <c10/core/InferenceMode.h>

namespace fjord::models {
namespace {

using testing::normal;
using testing::relative_error;

constexpr double kTolerance = 1e-5;  // as in parity_test.cpp

class ApproximationTest : public ::testing::TestWithParam<std::string> {
 protected:
  ApproximationTest() : unet_(testing::make_unet(GetParam())) {
    first_ = testing::unet_inputs(unet_->config(), expected("whole").sizes());
    first_.memory = &memory_;
    second_ = first_;
    second_.sample = normal(8, first_.sample.sizes());
    second_.timesteps = at::tensor({700.0F, 40.5F});
  }

  at::Tensor expected(const std::string& tensor) const {
    return testing::recorded_tensor("approximations/" + GetParam(), tensor);
  }

  void expect_close(const UNetInput& input, const std::string& tensor) const {
    const double error = relative_error(unet_->forward(input), expected(tensor));
    RecordProperty(tensor, std::to_string(error * 1e6) + "e-6");
    EXPECT_LE(error, kTolerance) << tensor;
  }

  // The second input without its first row.
  UNetInput alone() const {
    auto input = second_;
    input.sample = last_rows(input.sample, 1);
    input.timesteps = last_rows(input.timesteps, 1);
    return input;
  }

  c10::InferenceMode inference_;
  std::unique_ptr<UNet2DConditionModel> unet_;
  RunMemory memory_;
  UNetInput first_, second_;
};

TEST_P(ApproximationTest, WholeEvaluationMatchesReference) { expect_close(first_, "whole"); }

// network -> the branches that are recorded.
const std::map<std::string, std::vector<size_t>> kBranches = {
    {"unet_sd1", {0, 2, 3, 8}}, {"unet_sd1_odd_size", {1, 4}}, {"unet_sdxl", {0, 5}}, {"unet_layers", {2, 4}}};

TEST_P(ApproximationTest, DeepCacheMatchesReference) {
  for (const auto branch : kBranches.at(GetParam())) {
    auto whole = first_, later = second_, later_alone = alone();
    for (auto* input : {&whole, &later, &later_alone}) input->shortcuts.cache_branch = branch;
    later.shortcuts.reuse_deep = later_alone.shortcuts.reuse_deep = true;
    expect_close(whole, "whole");
    expect_close(later, concat("cache.", branch));
    expect_close(later_alone, concat("cache_alone.", branch));
  }
}

TEST_P(ApproximationTest, TextGateMatchesReference) {
  first_.shortcuts.text = TextUse::kAttendAndKeep;
  first_.shortcuts.branches = 2;
  expect_close(first_, "whole");
  auto later = alone();
  later.shortcuts.text = TextUse::kRepeat;
  expect_close(later, "gate");
}

TEST_P(ApproximationTest, TokenMergingMatchesReference) {
  for (const double ratio : {0.3, 0.75}) {
    first_.shortcuts.merge_ratio = ratio;
    expect_close(first_, ratio == 0.3 ? "merge.0.3" : "merge.0.75");
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, ApproximationTest,
                         ::testing::Values("unet_sd1", "unet_sd1_odd_size", "unet_sdxl", "unet_layers"),
                         [](const auto& each) { return std::string(each.param); });

TEST(DeepCacheTest, TheDeepestBranchOnTheSameInputIsTheWholeNetwork) {
  const c10::InferenceMode inference;
  const auto unet = testing::make_unet("unet_sd1");
  auto input = testing::unet_inputs(unet->config(), {2, 4, 8, 8});
  RunMemory memory;
  input.memory = &memory;
  ASSERT_EQ(unet->skip_connections(), 9U);
  for (size_t branch = 0; branch < 9; ++branch) {
    input.shortcuts = {.cache_branch = branch};
    const auto whole = unet->forward(input);
    input.shortcuts.reuse_deep = true;
    EXPECT_TRUE(unet->forward(input).equal(whole)) << branch;
  }
}

}  // namespace
}  // namespace fjord::models
