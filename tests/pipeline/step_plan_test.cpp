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
  const auto plans = plan_steps({}, std::vector<bool>(4, true));
  EXPECT_EQ(branches(plans), "BBBB");
  EXPECT_EQ(depths(plans), "WWWW");
  EXPECT_EQ(text_uses(plans), "aaaa");
  for (const auto& plan : plans) EXPECT_EQ(plan.shortcuts.cache_branch, std::nullopt);
}

TEST(StepPlanTest, WithoutGuidanceOneBranchRuns) {
  EXPECT_EQ(branches(plan_steps({}, std::vector<bool>(3, false))), "---");
  EXPECT_EQ(branches(plan_steps(interval(0.2, 0.8, 2), std::vector<bool>(3, false))), "---");
}

TEST(StepPlanTest, GuidanceIntervalIsRoundedToEvaluations) {
  EXPECT_EQ(branches(plan_steps(interval(0.25, 0.75), std::vector<bool>(8, true))), "--BBBB--");
  EXPECT_EQ(branches(plan_steps(interval(0.2, 1.0), std::vector<bool>(4, true))), "-BBB");
  EXPECT_EQ(branches(plan_steps(interval(0.0, 0.49), std::vector<bool>(1, true))), "-");
  EXPECT_EQ(branches(plan_steps(interval(0.5, 0.5), std::vector<bool>(4, true))), "----");
}

TEST(StepPlanTest, EveryNthEvaluationCountsFromTheInterval) {
  EXPECT_EQ(branches(plan_steps(interval(0.0, 1.0, 3), std::vector<bool>(8, true))), "BddBddBd");
  EXPECT_EQ(branches(plan_steps(interval(0.25, 0.875, 2), std::vector<bool>(8, true))), "--BdBdB-");
}

TEST(StepPlanTest, WhatIsNotGuidedRunsWithThePromptAlone) {
  EXPECT_EQ(branches(plan_steps({}, {true, true, false, false, true})), "BB--B");
  EXPECT_EQ(branches(plan_steps(interval(0.0, 1.0, 3), {true, true, false, true, true, true})), "Bd-Bdd");
  EXPECT_EQ(branches(plan_steps(interval(0.5, 1.0), {true, true, false, true})), "---B");
}

TEST(StepPlanTest, TellsWhatLiesInTheInterval) {
  std::string inside;
  for (const auto& plan : plan_steps(interval(0.25, 0.75), std::vector<bool>(8, false)))
    inside += plan.in_interval ? 'i' : '-';
  EXPECT_EQ(inside, "--iiii--");
}

TEST(StepPlanTest, CachedFeaturesServeTheEvaluationsBetween) {
  EXPECT_EQ(depths(plan_steps(cache(3), std::vector<bool>(8, true))), "WssWssWs");
  EXPECT_EQ(depths(plan_steps(cache(1000), std::vector<bool>(4, false))), "Wsss");
}

TEST(StepPlanTest, ASecondBranchNeedsFeaturesOfItsOwn) {
  auto wish = interval(0.25, 0.75);
  wish.cache_interval = 4;
  EXPECT_EQ(branches(plan_steps(wish, std::vector<bool>(8, true))), "--BBBB--");
  EXPECT_EQ(depths(plan_steps(wish, std::vector<bool>(8, true))), "WsWsWsss");
}

TEST(StepPlanTest, TheGateKeepsOnceThenRepeatsWithoutGuidance) {
  const auto plans = plan_steps(cache(1, 0.5), std::vector<bool>(6, true));
  EXPECT_EQ(branches(plans), "BBB---");
  EXPECT_EQ(text_uses(plans), "aakrrr");
  EXPECT_EQ(text_uses(plan_steps(cache(1, 0.01), std::vector<bool>(4, true))), "krrr");
  EXPECT_EQ(text_uses(plan_steps(cache(1, 0.99), std::vector<bool>(4, true))), "aaaa");
}

TEST(StepPlanTest, BothSidesOfTheGateRunWhole) {
  EXPECT_EQ(depths(plan_steps(cache(5, 0.5), std::vector<bool>(8, true))), "WssWWWss");
  auto wish = interval(0.0, 1.0, 4);
  wish.text_gate = 0.75;
  EXPECT_EQ(branches(plan_steps(wish, std::vector<bool>(8, true))), "BdddBB--");
}

}  // namespace
}  // namespace fjord::pipeline
