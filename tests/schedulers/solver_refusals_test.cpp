// What the solvers refuse, and what holds for every class.
#include "schedulers/make_scheduler.h"
#include "schedulers/recorded.h"
#include "support/error_of.h"

#include <fjord/error.h>

namespace fjord {
namespace {

using schedulers::make_scheduler;
using ::testing::HasSubstr;
using testing::options_config;

using Options = std::map<std::string, std::string>;

at::Tensor sample_of(std::int64_t seed) { return at::arange(48, at::kFloat).add(seed).sin().reshape({2, 4, 2, 3}); }

std::string refusal(ErrorCode code, const std::string& name, const Options& options, const SchedulePlan& plan) {
  try {
    make_scheduler(options_config(name, options))->start(plan);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << name << " accepted it";
  return "";
}

TEST(SolverRefusalTest, RefusesUnknownWordsByName) {
  const std::vector<std::array<const char*, 3>> cases = {
      {"EulerDiscreteScheduler", "interpolation_type", "cubic"},
      {"EulerDiscreteScheduler", "timestep_type", "whole"},
      {"EulerDiscreteScheduler", "final_sigmas_type", "sigma_max"},
      {"EulerDiscreteScheduler", "beta_schedule", "exp"},
      {"HeunDiscreteScheduler", "timestep_spacing", "even"},
      {"PNDMScheduler", "prediction_type", "sample"},
      {"DEISMultistepScheduler", "algorithm_type", "sde-dpmsolver++"},
      {"DEISMultistepScheduler", "solver_type", "euler"},
      {"UniPCMultistepScheduler", "solver_type", "bh3"},
      {"LCMScheduler", "prediction_type", "flow_prediction"}};
  for (const auto& [name, field, word] : cases) {
    const auto message = refusal(ErrorCode::kUnsupported, name, {{field, word}}, {10, {}});
    EXPECT_THAT(message, ::testing::AllOf(HasSubstr(field), HasSubstr(word), HasSubstr("expected")));
  }
}

TEST(SolverRefusalTest, RefusesOptionsThatContradict) {
  const auto bad = ErrorCode::kInvalidArgument;
  const Options two = {{"use_karras_sigmas", "true"}, {"use_beta_sigmas", "true"}};
  EXPECT_THAT(refusal(bad, "EulerDiscreteScheduler", two, {10, {}}), HasSubstr("only one"));
  const Options table = {{"use_karras_sigmas", "true"}, {"sigma_table", "ays_sd1"}};
  EXPECT_THAT(refusal(bad, "LMSDiscreteScheduler", table, {10, {}}), HasSubstr("only one"));
  const Options upside = {{"use_karras_sigmas", "true"}, {"sigma_min", "3"}, {"sigma_max", "2"}};
  EXPECT_THAT(refusal(bad, "EulerDiscreteScheduler", upside, {10, {}}), HasSubstr("sigma_min"));
  EXPECT_THAT(refusal(bad, "UniPCMultistepScheduler", upside, {10, {}}), HasSubstr("sigma_min"));
  EXPECT_THAT(refusal(bad, "UniPCMultistepScheduler", {{"predict_x0", "false"}}, {10, {}}), HasSubstr("sigma_min"));
  EXPECT_THAT(refusal(bad, "UniPCMultistepScheduler", {{"lower_order_final", "false"}}, {10, {}}),
              HasSubstr("lower_order_final"));
  EXPECT_THAT(refusal(bad, "LCMScheduler", {{"original_inference_steps", "2000"}}, {2, {}}),
              HasSubstr("from 1 to 1000"));
  EXPECT_THAT(refusal(bad, "EulerAncestralDiscreteScheduler", {{"sigma_table", "[1, 2, 0.5]"}}, {3, {}}),
              HasSubstr("fall"));
  EXPECT_THAT(refusal(bad, "EulerDiscreteScheduler", {{"sigma_table", "ays_sd9"}}, {3, {}}), HasSubstr("ays_sdxl"));
}

TEST(SolverRefusalTest, RefusesPlansThatDoNotFit) {
  const auto bad = ErrorCode::kInvalidArgument;
  EXPECT_THAT(refusal(bad, "PNDMScheduler", {}, {3, {}}), HasSubstr("at least 4 steps"));
  EXPECT_THAT(refusal(bad, "PNDMScheduler", {}, {0, {900, 100}}), HasSubstr("custom timesteps"));
  EXPECT_THAT(refusal(bad, "TCDScheduler", {}, {51, {}}), HasSubstr("original_inference_steps"));
  EXPECT_THAT(refusal(bad, "DEISMultistepScheduler", {}, {0, {500.5}}), HasSubstr("whole"));
  EXPECT_THAT(refusal(bad, "EulerDiscreteScheduler", {}, {0, {1000}}), HasSubstr("timesteps"));
  EXPECT_THAT(refusal(bad, "EulerDiscreteScheduler", {}, {0, {900, 100}, {5, 1, 0}}), HasSubstr("got both"));
  EXPECT_THAT(refusal(bad, "EulerDiscreteScheduler", {{"use_beta_sigmas", "true"}}, {0, {900, 100}}),
              HasSubstr("use_beta_sigmas"));
  EXPECT_THAT(refusal(bad, "HeunDiscreteScheduler", {}, {0, {}, {5, 1}}), HasSubstr("end at 0"));
  for (const auto* name : {"DDPMScheduler", "DDIMScheduler", "LCMScheduler", "TCDScheduler", "PNDMScheduler"}) {
    EXPECT_THAT(refusal(bad, name, {}, {0, {}, {5, 1, 0}}), HasSubstr("sigmas"));
  }
  const double nan = std::nan("");
  for (const std::vector<double>& sigmas :
       {std::vector<double>{5}, {5, 5}, {1, 2}, {5, -1}, {nan, 1}, {5, nan}, {INFINITY, 1}}) {
    for (const auto* name : {"EulerDiscreteScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler"}) {
      EXPECT_THAT(refusal(bad, name, {}, {0, {}, sigmas}), HasSubstr("custom sigmas"));
    }
  }
}

TEST(SolverRefusalTest, RunsOfTwoEvaluationsBeginWithAWholeStep) {
  const auto x = sample_of(1);
  const DrawNoise noise = [&](at::IntArrayRef) { return x; };
  for (const auto* name : {"HeunDiscreteScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler",
                           "DPMSolverSDEScheduler"}) {
    auto run = make_scheduler(options_config(name))->start({6, {}});
    ASSERT_EQ(run->timesteps().size(), 11u);
    EXPECT_THAT(testing::error_of([&] { run->step(x, 3, x, noise); }).what(), HasSubstr("multiple of 2"));
    run->step(x, 4, x, noise);
    run->step(x, 5, x, noise);
  }
}

TEST(SolverRefusalTest, RungeKuttaStepsBeginAtTheStart) {
  auto run = make_scheduler(options_config("PNDMScheduler"))->start({6, {}});
  const auto x = sample_of(1);
  EXPECT_THAT(testing::error_of([&] { run->step(x, 2, x, {}); }).what(), HasSubstr("skip_prk_steps"));
}

TEST(SolverRefusalTest, SeedsOfTheNoiseMustFitTheBatch) {
  auto config = options_config("DPMSolverSDEScheduler");
  config.request_seeds = {1, 2, 3};
  auto run = make_scheduler(config)->start({6, {}});
  const auto x = sample_of(1);
  EXPECT_THAT(testing::error_of([&] { run->step(x, 0, x, {}); }).what(), HasSubstr("2 images, got 3"));
}

const std::vector<std::string>& new_classes() {
  static const auto names = schedulers::scheduler_names();
  return names;
}

std::vector<at::Tensor> walk(SchedulerRun& run, std::int64_t seed) {
  std::vector<at::Tensor> samples{sample_of(seed)};
  std::int64_t draws = 0;
  const DrawNoise noise = [&](at::IntArrayRef) { return sample_of(100 + draws++); };
  for (size_t i = 0; i < run.timesteps().size(); ++i) {
    samples.push_back(run.step(samples.back().cos(), static_cast<std::int64_t>(i), samples.back(), noise));
  }
  return samples;
}

TEST(EverySchedulerTest, RunsAreIndependentAndOutliveTheirScheduler) {
  for (const auto& name : new_classes()) {
    auto scheduler = make_scheduler(options_config(name));
    const auto expected = walk(*scheduler->start({7, {}}), 3);
    auto first = scheduler->start({7, {}});
    auto second = scheduler->start({7, {}});
    scheduler.reset();
    walk(*second, 8);
    EXPECT_TRUE(walk(*first, 3).back().equal(expected.back())) << name;
    EXPECT_TRUE(expected.back().isfinite().all().item<bool>()) << name;
  }
}

TEST(EverySchedulerTest, RefusesStepsOutOfOrderAndOtherShapes) {
  for (const auto& name : new_classes()) {
    auto run = make_scheduler(options_config(name))->start({6, {}});
    const auto x = sample_of(1);
    const DrawNoise noise = [&](at::IntArrayRef) { return x; };
    const auto count = static_cast<std::int64_t>(run->timesteps().size());
    EXPECT_THAT(testing::error_of([&] { run->step(x, count, x, noise); }).what(), HasSubstr("step index")) << name;
    EXPECT_THAT(testing::error_of([&] { run->add_noise(x, x, -1); }).what(), HasSubstr("got -1")) << name;
    EXPECT_THAT(testing::error_of([&] { run->predict_clean(x, count, x); }).what(), HasSubstr("step index")) << name;
    EXPECT_THAT(testing::error_of([&] {
                  run->step(at::zeros({2, 8, 2, 3}), 0, x, noise);
                }).what(),
                HasSubstr("[2, 8, 2, 3]"));
    run = make_scheduler(options_config(name))->start({6, {}});
    run->step(x, 0, x, noise);
    EXPECT_THAT(testing::error_of([&] { run->step(x, 0, x, noise); }).what(), HasSubstr("expected step 1")) << name;
  }
}

// The three kinds of prediction describe one and the same thing.
TEST(EverySchedulerTest, APredictionOfTheSampleWalksAsThatOfTheNoise) {
  for (const auto* name : {"EulerAncestralDiscreteScheduler", "KDPM2DiscreteScheduler",
                           "KDPM2AncestralDiscreteScheduler", "DPMSolverSDEScheduler"}) {
    const auto noise_run = make_scheduler(options_config(name))->start({5, {}});
    const auto clean_run = make_scheduler(options_config(name, {{"prediction_type", "sample"}}))->start({5, {}});
    const DrawNoise noise = [&](at::IntArrayRef) { return sample_of(7); };
    at::Tensor x = sample_of(1).to(at::kDouble);
    at::Tensor y = x;
    for (size_t i = 0; i < noise_run->timesteps().size(); ++i) {
      const auto index = static_cast<std::int64_t>(i);
      const at::Tensor eps = x.cos();
      const at::Tensor clean = noise_run->predict_clean(eps, index, x);
      x = noise_run->step(eps, index, x, noise);
      y = clean_run->step(clean, index, y, noise);
    }
    EXPECT_LE(testing::relative_error(y, x), 1e-12) << name;
  }
}

}  // namespace
}  // namespace fjord
