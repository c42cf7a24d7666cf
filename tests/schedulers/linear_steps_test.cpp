// Every recorded configuration whose steps are sums walks by the sums alone as its solver does, which the other tests
// hold against the reference.
#include "schedulers/linear_steps.h"

#include "schedulers/make_scheduler.h"
#include "schedulers/recorded.h"

#include <cmath>
#include <set>

namespace fjord {
namespace {

using schedulers::linear_steps;
using schedulers::LinearStep;
using testing::relative_error;
using testing::solver_cases;
using testing::solver_tensors;

struct Walk {
  explicit Walk(const nlohmann::json& about)
      : first(about["begin"]),
        scheduler(schedulers::make_scheduler(testing::recorded_config(about["config"]))),
        plan(testing::recorded_plan(about["plan"])),
        run(scheduler->start(plan)),
        last(static_cast<std::int64_t>(run->timesteps().size())),
        steps(linear_steps([this] { return scheduler->start(plan); }, first, last)) {}

  // Samples after every evaluation, from the first: by the sums, and by the solver.
  std::vector<at::Tensor> samples() const {
    std::vector<at::Tensor> seen{solver_tensors().at("start").to(at::kDouble)}, predictions;
    std::int64_t draws = 0;
    for (std::int64_t i = first; i < last; ++i) {
      const auto input = run->scale_model_input(seen.back(), i);
      const double timestep = run->timesteps()[static_cast<size_t>(i)];
      predictions.push_back(testing::network(input, timestep, solver_tensors().at("bias").to(at::kDouble), ""));
      const auto& step = (*steps)[static_cast<size_t>(i - first)];
      auto next = at::zeros_like(seen.back());
      const auto at_lag = [](const std::vector<at::Tensor>& all, std::int64_t lag) {
        return all[all.size() - 1 - static_cast<size_t>(lag)];
      };
      for (const auto& [lag, factor] : step.samples) next += factor * at_lag(seen, lag);
      for (const auto& [lag, factor] : step.predictions) next += factor * at_lag(predictions, lag);
      if (step.draws) next += step.noise * solver_tensors().at("noise")[draws++].to(at::kDouble);
      seen.push_back(next);
    }
    return {seen.begin() + 1, seen.end()};
  }
  std::vector<at::Tensor> solved() const {
    std::vector<at::Tensor> samples;
    std::int64_t draws = 0;
    const DrawNoise draw = [&](at::IntArrayRef) { return solver_tensors().at("noise")[draws++].clone(); };
    auto x = solver_tensors().at("start").to(at::kDouble);
    for (std::int64_t i = first; i < last; ++i) {
      const double timestep = run->timesteps()[static_cast<size_t>(i)];
      const auto input = run->scale_model_input(x, i);
      x = run->step(testing::network(input, timestep, solver_tensors().at("bias").to(at::kDouble), ""), i, x, draw);
      samples.push_back(x);
    }
    return samples;
  }

  std::int64_t first;
  std::unique_ptr<const Scheduler> scheduler;
  SchedulePlan plan;
  std::unique_ptr<SchedulerRun> run;
  std::int64_t last;
  std::optional<std::vector<LinearStep>> steps;
};

TEST(LinearStepsTest, WalkAsTheSolver) {
  std::set<std::string> linear;
  for (const auto& about : solver_cases()) {
    const Walk walk(about);
    if (!walk.steps) continue;
    linear.insert(about["config"]["_class_name"].get<std::string>());
    const auto samples = walk.samples(), expected = walk.solved();
    for (size_t i = 0; i < samples.size(); ++i) {
      // Rounding of factors that were multiplied out, where large terms cancel.
      ASSERT_LE(relative_error(samples[i], expected[i]), 1e-10) << i << " of " << about;
    }
  }
  for (const char* name : {"EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler",
                           "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler", "UniPCMultistepScheduler",
                           "DEISMultistepScheduler", "LMSDiscreteScheduler", "KDPM2DiscreteScheduler"}) {
    EXPECT_TRUE(linear.contains(name)) << name;
  }
}

config::Scheduler ddim() {
  config::Scheduler config;
  config.class_name = "DDIMScheduler";
  return config;
}

std::optional<std::vector<LinearStep>> steps_of(const config::Scheduler& config) {
  const std::shared_ptr<const Scheduler> scheduler = schedulers::make_scheduler(config);
  return linear_steps([&] { return scheduler->start({5, {}}); }, 0, 5);
}

TEST(LinearStepsTest, AClippedSampleIsNoSum) {
  auto config = ddim();
  config.clip_sample = true;
  EXPECT_FALSE(steps_of(config));
  config.clip_sample = false;
  EXPECT_TRUE(steps_of(config));
  config.thresholding = true;
  EXPECT_FALSE(steps_of(config));
}

TEST(LinearStepsTest, NoiseThatDependsOnTheWayIsNoSum) {
  EXPECT_FALSE(steps_of(testing::options_config("DPMSolverSDEScheduler")));
}

TEST(LinearStepsTest, ASolverWithoutMemoryLooksAtThePresentAlone) {
  auto config = ddim();
  config.clip_sample = false;
  const auto steps = steps_of(config);
  ASSERT_TRUE(steps);
  for (const auto& step : *steps) {
    ASSERT_EQ(step.samples.size(), 1U);
    ASSERT_EQ(step.predictions.size(), 1U);
    EXPECT_EQ(step.samples[0].lag, 0);
    EXPECT_EQ(step.predictions[0].lag, 0);
    EXPECT_FALSE(step.draws);
  }
}

TEST(LinearStepsTest, SaysWhenNoiseIsDrawn) {
  auto config = ddim();
  config.clip_sample = false;
  config.eta = 1;
  const auto steps = steps_of(config);
  ASSERT_TRUE(steps);
  for (const auto& step : *steps) EXPECT_TRUE(step.draws);
  EXPECT_GT(steps->front().noise, 0);
}

}  // namespace
}  // namespace fjord
