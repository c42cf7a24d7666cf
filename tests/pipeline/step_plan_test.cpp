// The plan of a run, written as one letter an evaluation.
#include "pipeline/step_plan.h"

namespace fjord::pipeline {
namespace {

using models::TextUse;

// B: both branches, d: one, guided by the latest difference, -: the prompt alone.
std::string branches(const std::vector<StepPlan>& plans) {
  std::string out;
  for (const auto& plan : plans) {
    EXPECT_EQ(plan.shortcuts.branches, plan.both_branches ? 2 : 1);
    EXPECT_FALSE(plan.both_branches && plan.reuse_difference);
    out += plan.both_branches ? 'B' : plan.reuse_difference ? 'd' : '-';
  }
  return out;
}

// W: whole, s: shallow.
std::string depths(const std::vector<StepPlan>& plans) {
  std::string out;
  for (const auto& plan : plans) out += plan.shortcuts.reuse_deep ? 's' : 'W';
  return out;
}

// a: attend, k: attend and keep, r: repeat.
std::string text_uses(const std::vector<StepPlan>& plans) {
  std::string out;
  for (const auto& plan : plans) {
    out += plan.shortcuts.text == TextUse::kAttend ? 'a' : plan.shortcuts.text == TextUse::kRepeat ? 'r' : 'k';
  }
  return out;
}

Approximation interval(double begin, double end, int every = 1) {
  Approximation wish;
  wish.guidance_begin = begin;
  wish.guidance_end = end;
  wish.guidance_every = every;
  return wish;
}

Approximation cache(int every, double text_gate = 1.0) {
  Approximation wish;
  wish.cache_interval = every;
  wish.text_gate = text_gate;
  return wish;
}

TEST(StepPlanTest, WithoutApproximationsEverythingRuns) {
  const auto plans = plan_steps({}, true, 4);
  EXPECT_EQ(branches(plans), "BBBB");
  EXPECT_EQ(depths(plans), "WWWW");
  EXPECT_EQ(text_uses(plans), "aaaa");
  for (const auto& plan : plans) EXPECT_EQ(plan.shortcuts.cache_branch, std::nullopt);
}

TEST(StepPlanTest, WithoutGuidanceOneBranchRuns) {
  EXPECT_EQ(branches(plan_steps({}, false, 3)), "---");
  EXPECT_EQ(branches(plan_steps(interval(0.2, 0.8, 2), false, 3)), "---");
}

TEST(StepPlanTest, GuidanceIntervalIsRoundedToEvaluations) {
  EXPECT_EQ(branches(plan_steps(interval(0.25, 0.75), true, 8)), "--BBBB--");
  EXPECT_EQ(branches(plan_steps(interval(0.2, 1.0), true, 4)), "-BBB");
  EXPECT_EQ(branches(plan_steps(interval(0.0, 0.49), true, 1)), "-");
  EXPECT_EQ(branches(plan_steps(interval(0.5, 0.5), true, 4)), "----");
}

TEST(StepPlanTest, EveryNthEvaluationCountsFromTheInterval) {
  EXPECT_EQ(branches(plan_steps(interval(0.0, 1.0, 3), true, 8)), "BddBddBd");
  EXPECT_EQ(branches(plan_steps(interval(0.25, 0.875, 2), true, 8)), "--BdBdB-");
}

TEST(StepPlanTest, CachedFeaturesServeTheEvaluationsBetween) {
  EXPECT_EQ(depths(plan_steps(cache(3), true, 8)), "WssWssWs");
  EXPECT_EQ(depths(plan_steps(cache(1000), false, 4)), "Wsss");
}

TEST(StepPlanTest, ASecondBranchNeedsFeaturesOfItsOwn) {
  auto wish = interval(0.25, 0.75);
  wish.cache_interval = 4;
  EXPECT_EQ(branches(plan_steps(wish, true, 8)), "--BBBB--");
  EXPECT_EQ(depths(plan_steps(wish, true, 8)), "WsWsWsss");
}

TEST(StepPlanTest, TheGateKeepsOnceThenRepeatsWithoutGuidance) {
  const auto plans = plan_steps(cache(1, 0.5), true, 6);
  EXPECT_EQ(branches(plans), "BBB---");
  EXPECT_EQ(text_uses(plans), "aakrrr");
  EXPECT_EQ(text_uses(plan_steps(cache(1, 0.01), true, 4)), "krrr");
  EXPECT_EQ(text_uses(plan_steps(cache(1, 0.99), true, 4)), "aaaa");
}

TEST(StepPlanTest, BothSidesOfTheGateRunWhole) {
  EXPECT_EQ(depths(plan_steps(cache(5, 0.5), true, 8)), "WssWWWss");
  auto wish = interval(0.0, 1.0, 4);
  wish.text_gate = 0.75;
  EXPECT_EQ(branches(plan_steps(wish, true, 8)), "BdddBB--");
}

}  // namespace
}  // namespace fjord::pipeline
