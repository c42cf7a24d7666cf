// Guidance by hand: two pixels whose result can be worked out on paper.
#include "pipeline/guidance.h"

#include "pipeline/guidance_check.h"
#include "support/error_of.h"

namespace fjord::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(GuidanceTest, ExtrapolatesFromTheUnguidedBranch) {
  const auto without = at::tensor({1.0F, 2.0F}).view({1, 1, 1, 2});
  const auto with = at::tensor({2.0F, 0.0F}).view({1, 1, 1, 2});
  EXPECT_TRUE(at::equal(guide(without, with, 3.0), at::tensor({4.0F, -4.0F}).view({1, 1, 1, 2})));
}

at::Tensor rescaled_guide(const at::Tensor& without, const at::Tensor& with, double rescale) {
  return rescaled(guide(without, with, 7.5), with, rescale);
}

TEST(GuidanceTest, FullRescaleHasTheDeviationOfTheGuidedBranch) {
  const auto without = at::randn({2, 4, 3, 3});
  const auto with = at::randn({2, 4, 3, 3});
  const auto out = rescaled_guide(without, with, 1.0);
  EXPECT_TRUE(at::allclose(out.std(at::IntArrayRef{1, 2, 3}), with.std(at::IntArrayRef{1, 2, 3}), 1e-4));
}

TEST(GuidanceTest, PartialRescaleLiesBetween) {
  const auto without = at::randn({1, 4, 3, 3});
  const auto with = at::randn({1, 4, 3, 3});
  const auto none = rescaled_guide(without, with, 0.0);
  const auto full = rescaled_guide(without, with, 1.0);
  EXPECT_TRUE(at::allclose(rescaled_guide(without, with, 0.25), 0.25 * full + 0.75 * none, 1e-4, 1e-5));
}

TEST(GuidanceTest, AMimickedScaleKeepsItsRange) {
  const auto without = at::randn({2, 4, 5, 5});
  const auto with = at::randn({2, 4, 5, 5});
  const auto range = [](const at::Tensor& x) { return (x - x.mean(at::IntArrayRef{2, 3}, true)).abs().amax({2, 3}); };
  const auto out = guide(without, with, 12.0, {.mimic_scale = 3.0});
  EXPECT_TRUE(at::allclose(range(out), range(guide(without, with, 3.0)), 1e-4));
  const auto same = guide(without, with, 3.0, {.mimic_scale = 3.0});
  EXPECT_TRUE(at::allclose(same, guide(without, with, 3.0), 1e-4, 1e-5));
  const auto flat = at::ones({1, 1, 2, 2});
  EXPECT_TRUE(at::equal(guide(flat, flat, 12.0, {.mimic_scale = 3.0}), flat));  // a channel without any range
}

TEST(GuidanceTest, SchedulesAreStraightLines) {
  EXPECT_THAT(guidance_scales({}, 4.0, 3), ElementsAre(4, 4, 4));
  EXPECT_THAT(guidance_scales({.schedule = {8}}, 4.0, 2), ElementsAre(8, 8));
  EXPECT_THAT(guidance_scales({.schedule = {8, 2}}, 4.0, 4), ElementsAre(8, 6, 4, 2));
  EXPECT_THAT(guidance_scales({.schedule = {8, 2, 5}}, 4.0, 5), ElementsAre(8, 5, 2, 3.5, 5));
  EXPECT_THAT(guidance_scales({.schedule = {8, 2, 5}}, 4.0, 3), ElementsAre(8, 2, 5));
  EXPECT_THAT(guidance_scales({.schedule = {8, 2}}, 4.0, 1), ElementsAre(8));
}

TEST(GuidanceTest, ThePerturbedScaleFallsWithTheTimestepToZero) {
  const Guidance wish{.perturbed_scale = 3, .perturbed_adaptive_scale = 0.005};
  EXPECT_DOUBLE_EQ(perturbed_scale_at(wish, 999), 2.995);
  EXPECT_DOUBLE_EQ(perturbed_scale_at(wish, 600), 1);
  EXPECT_DOUBLE_EQ(perturbed_scale_at(wish, 100), 0);
}

std::string refusal(const Guidance& wish, const Approximation& approximation = {}) {
  Request request;
  request.guidance_options = wish;
  request.approximation = approximation;
  PipelineInfo info;
  info.max_steps = 10;
  const auto error = testing::error_of([&] { check_guidance(request, info); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  return error.what();
}

TEST(GuidanceCheckTest, RefusesWhatIsOutOfRangeByName) {
  const double nan = std::nan("");
  EXPECT_THAT(refusal({.schedule = {5, -1}}), HasSubstr("schedule"));
  EXPECT_THAT(refusal({.schedule = {nan}}), HasSubstr("schedule"));
  EXPECT_THAT(refusal({.schedule = std::vector<double>(22, 2.0)}), HasSubstr("at most 21"));
  EXPECT_THAT(refusal({.mimic_scale = nan}), HasSubstr("mimic_scale"));
  EXPECT_THAT(refusal({.mimic_percentile = 0}), HasSubstr("mimic_percentile"));
  EXPECT_THAT(refusal({.perturbed_scale = -2}), HasSubstr("perturbed_scale"));
  EXPECT_THAT(refusal({.perturbed_scale = 2, .perturbed_layers = {}}), HasSubstr("perturbed_layers"));
  EXPECT_THAT(refusal({.perturbed_scale = 2, .perturbed_layers = {""}}), HasSubstr("perturbed_layers"));
  EXPECT_THAT(refusal({.free_u = {.s1 = 11}}), HasSubstr("free_u.s1"));
  EXPECT_THAT(refusal({.image_scale = -1}), HasSubstr("image_scale"));
  EXPECT_THAT(refusal({.perturbed_scale = 2}, {.cache_interval = 2}), HasSubstr("cache_interval"));
  EXPECT_THAT(refusal({.perturbed_scale = 2}, {.text_gate = 0.5}), HasSubstr("text_gate"));
}

TEST(GuidanceCheckTest, AScheduleReplacesTheScale) {
  Request request;
  request.guidance = 3;
  request.guidance_options.schedule = {2, 9, 4};
  PipelineInfo info;
  info.max_steps = 10;
  check_guidance(request, info);
  EXPECT_EQ(request.guidance, 9);
}

}  // namespace
}  // namespace fjord::pipeline
