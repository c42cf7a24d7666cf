// Refusals, independence of runs, and schedulers of the user's own.
#include "schedulers/make_scheduler.h"
#include "schedulers/recorded.h"

#include <fjord/error.h>

#include <cmath>
#include <limits>

namespace fjord {
namespace {

using schedulers::make_scheduler;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::options_config;

const std::vector<std::string> kClasses = {"DDIMScheduler", "DDPMScheduler", "DPMSolverMultistepScheduler",
                                           "DPMSolverSinglestepScheduler"};

// The message of the Error with `code` that `action` must throw.
template <typename Action>
std::string message_of(ErrorCode code, Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

at::Tensor no_noise(at::IntArrayRef) { throw std::logic_error("no noise was expected"); }

at::Tensor sample_of(std::int64_t seed) { return at::arange(48, at::kFloat).add(seed).sin().reshape({2, 4, 2, 3}); }

TEST(MakeSchedulerTest, ListsTheImplementedClassesForAnyOther) {
  for (const auto* name : {"SASolverScheduler", "ddimscheduler", "", "%n%s{}\n"}) {
    const auto message = message_of(ErrorCode::kUnsupported, [&] {
      config::Scheduler config;
      config.class_name = name;
      make_scheduler(config);
    });
    for (const auto& known : kClasses) EXPECT_THAT(message, HasSubstr(known));
    EXPECT_THAT(message, ::testing::Not(HasSubstr("\n")));
  }
  EXPECT_EQ(schedulers::scheduler_names().size(), 16u);
}

TEST(MakeSchedulerTest, RefusesUnknownWordsByName) {
  const std::vector<std::array<const char*, 3>> cases = {
      {"DDIMScheduler", "beta_schedule", "sigmoid"},
      {"DDPMScheduler", "beta_schedule", "exponential"},
      {"DDPMScheduler", "variance_type", "large"},
      {"DDPMScheduler", "prediction_type", "flow_prediction"},
      {"DDIMScheduler", "timestep_spacing", "even"},
      {"DPMSolverMultistepScheduler", "algorithm_type", "unipc"},
      {"DPMSolverMultistepScheduler", "solver_type", "euler"},
      {"DPMSolverMultistepScheduler", "final_sigmas_type", "sigma_max"},
      {"DPMSolverMultistepScheduler", "timestep_spacing", "even"},
      {"DPMSolverSinglestepScheduler", "prediction_type", "flow_prediction"}};
  for (const auto& [name, field, word] : cases) {
    const auto message = message_of(ErrorCode::kUnsupported, [&] {
      make_scheduler(options_config(name, {{field, word}}));
    });
    EXPECT_THAT(message, AllOf(HasSubstr(field), HasSubstr(word), HasSubstr("expected")));
  }
}

TEST(MakeSchedulerTest, RefusesWhatTheSolversCannotDo) {
  const auto refusal = [](const std::string& name, const std::map<std::string, std::string>& options,
                          ErrorCode code = ErrorCode::kUnsupported) {
    return message_of(code, [&] { make_scheduler(options_config(name, options)); });
  };
  const std::string multi = "DPMSolverMultistepScheduler";
  const std::string single = "DPMSolverSinglestepScheduler";
  EXPECT_THAT(refusal(multi, {{"use_flow_sigmas", "true"}}), HasSubstr("use_flow_sigmas"));
  EXPECT_THAT(refusal(single, {{"use_dynamic_shifting", "true"}}), HasSubstr("use_dynamic_shifting"));
  EXPECT_THAT(refusal(multi, {{"algorithm_type", "dpmsolver"}}), HasSubstr("final_sigmas_type"));
  EXPECT_THAT(refusal(single, {{"algorithm_type", "sde-dpmsolver"}, {"final_sigmas_type", "sigma_min"}}),
              HasSubstr("sde-dpmsolver"));
  EXPECT_THAT(
      refusal(multi, {{"algorithm_type", "sde-dpmsolver"}, {"final_sigmas_type", "sigma_min"}, {"solver_order", "3"}}),
      HasSubstr("solver_order"));
  EXPECT_THAT(
      refusal(multi, {{"use_karras_sigmas", "true"}, {"use_exponential_sigmas", "true"}}, ErrorCode::kInvalidArgument),
      HasSubstr("only one"));
}

TEST(MakeSchedulerTest, RefusesBetasThatAreNone) {
  for (const auto& name : kClasses) {
    auto config = options_config(name);
    config.beta_start = 0.1;
    EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { make_scheduler(config); }), HasSubstr("beta_start"));
    for (const double bad : {0.0, -0.1, 1.5, std::nan("")}) {
      config = options_config(name);
      config.num_train_timesteps = 3;
      config.trained_betas = {0.1, bad, 0.2};
      EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { make_scheduler(config); }), HasSubstr("betas"));
    }
    config.trained_betas = {0.1, 0.2};
    EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { make_scheduler(config); }), HasSubstr("trained_betas"));
  }
}

TEST(StartTest, RefusesPlansThatDoNotFit) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<SchedulePlan> plans = {{0, {}},       {-3, {}},      {1001, {}},      {1000000, {}},
                                           {0, {10, 20}}, {0, {20, 20}}, {0, {1000}},     {0, {50, -1}},
                                           {0, {nan}},    {0, {500.5}},  {0, {900, nan}}, {0, {INFINITY, 3}}};
  for (const auto& name : kClasses) {
    const auto scheduler = make_scheduler(options_config(name));
    for (const auto& plan : plans) {
      EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { scheduler->start(plan); }), HasSubstr("steps"));
    }
    EXPECT_EQ(scheduler->start({1, {}})->timesteps().size(), 1u);
    EXPECT_EQ(scheduler->num_train_timesteps(), 1000);
  }
}

TEST(StartTest, RefusesTimestepsOutsideTheTable) {
  const auto scheduler = make_scheduler(options_config("DDIMScheduler", {{"steps_offset", "1"}}));
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument,
                         [&] {
                           scheduler->start({1000, {}});
                         }),
              HasSubstr("steps_offset"));
}

TEST(StartTest, RefusesCustomTimestepsWhereLevelsAreSpreadOtherwise) {
  for (const auto* spread : {"use_karras_sigmas", "use_exponential_sigmas", "use_lu_lambdas"}) {
    const auto scheduler = make_scheduler(options_config("DPMSolverMultistepScheduler", {{spread, "true"}}));
    EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { scheduler->start({0, {900, 100}}); }), HasSubstr(spread));
  }
}

TEST(StartTest, RefusesEpsilonWhereNoSignalIsLeft) {
  const std::map<std::string, std::string> options = {
      {"rescale_betas_zero_snr", "true"}, {"timestep_spacing", "trailing"}, {"clip_sample", "false"}};
  for (const auto* name : {"DDIMScheduler", "DDPMScheduler"}) {
    const auto message = message_of(ErrorCode::kInvalidArgument, [&] {
      make_scheduler(options_config(name, options))->start({5, {}});
    });
    EXPECT_THAT(message, HasSubstr("epsilon"));
  }
}

TEST(StepTest, RefusesStepsOutOfOrder) {
  for (const auto& name : kClasses) {
    const auto scheduler = make_scheduler(options_config(name));
    const auto x = sample_of(1);
    const auto noise = [&](at::IntArrayRef) { return x; };
    auto run = scheduler->start({5, {}});
    EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { run->step(x, 5, x, noise); }), HasSubstr("from 0 to 4"));
    EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { run->step(x, -1, x, noise); }), HasSubstr("from 0 to 4"));
    run->step(x, 2, x, noise);  // img2img starts in the middle
    EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { run->step(x, 2, x, noise); }),
                HasSubstr("expected step 3"));
    EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { run->step(x, 4, x, noise); }),
                HasSubstr("expected step 3"));
    EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { run->predict_clean(x, 7, x); }), HasSubstr("got 7"));
    EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { run->add_noise(x, x, -2); }), HasSubstr("got -2"));
    run->step(x, 3, x, noise);
  }
}

TEST(StepTest, RefusesPredictionsOfAnotherShape) {
  for (const auto& name : kClasses) {
    auto run = make_scheduler(options_config(name))->start({5, {}});
    const auto message = message_of(ErrorCode::kInvalidArgument, [&] {
      run->step(at::zeros({2, 8, 2, 3}), 0, sample_of(1), no_noise);
    });
    EXPECT_THAT(message, AllOf(HasSubstr("[2, 8, 2, 3]"), HasSubstr("[2, 4, 2, 3]")));
  }
}

TEST(DdpmTest, RefusesALearnedVarianceThatNobodyPredicted) {
  auto run = make_scheduler(options_config("DDPMScheduler", {{"variance_type", "learned_range"}}))->start({5, {}});
  const auto x = sample_of(1);
  const auto noise = [&](at::IntArrayRef) { return x; };
  EXPECT_THAT(message_of(ErrorCode::kInvalidArgument, [&] { run->step(x, 0, x, noise); }), HasSubstr("variance"));
}

TEST(DpmSolverTest, TakesTheMeanOfAPredictionWithVariance) {
  for (const auto* name : {"DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler"}) {
    const auto x = sample_of(1);
    const auto both = at::cat({sample_of(2), sample_of(3)}, 1);
    auto learned = make_scheduler(options_config(name, {{"variance_type", "learned_range"}}))->start({4, {}});
    auto plain = make_scheduler(options_config(name))->start({4, {}});
    EXPECT_TRUE(learned->step(both, 0, x, no_noise).equal(plain->step(sample_of(2), 0, x, no_noise)));
  }
}

// The whole walk of a run, one prediction function for all.
std::vector<at::Tensor> walk(SchedulerRun& run, std::int64_t seed) {
  std::vector<at::Tensor> samples{sample_of(seed)};
  std::int64_t draws = 0;
  const DrawNoise noise = [&](at::IntArrayRef) { return sample_of(100 + draws++); };
  for (size_t i = 0; i < run.timesteps().size(); ++i) {
    samples.push_back(run.step(samples.back().cos(), static_cast<std::int64_t>(i), samples.back(), noise));
  }
  return samples;
}

at::Tensor last_of(const config::Scheduler& config, const SchedulePlan& plan) {
  return walk(*make_scheduler(config)->start(plan), 1).back();
}

TEST(DdpmTest, FixedLargeLogMeansTheSameVarianceAsFixedLarge) {
  const auto log = options_config("DDPMScheduler", {{"variance_type", "fixed_large_log"}});
  const auto plain = options_config("DDPMScheduler", {{"variance_type", "fixed_large"}});
  EXPECT_TRUE(last_of(log, {5, {}}).equal(last_of(plain, {5, {}})));
}

TEST(DdimTest, CustomTimestepsLeadEachToTheNext) {
  for (const auto* to_one : {"true", "false"}) {
    const auto config = options_config("DDIMScheduler", {{"steps_offset", "1"}, {"set_alpha_to_one", to_one}});
    const SchedulePlan custom{0, {801, 601, 401, 201, 1}};
    EXPECT_TRUE(last_of(config, {5, {}}).equal(last_of(config, custom)));
  }
}

TEST(DdimTest, FullNoiseFromZeroSignalStaysFinite) {
  const auto config = options_config("DDIMScheduler", {{"eta", "1"},
                                                       {"rescale_betas_zero_snr", "true"},
                                                       {"timestep_spacing", "trailing"},
                                                       {"prediction_type", "v_prediction"},
                                                       {"clip_sample", "false"}});
  for (const int steps : {1, 2, 5, 50}) EXPECT_TRUE(last_of(config, {steps, {}}).isfinite().all().item<bool>());
}

TEST(DpmSolverTest, ThresholdingTakesTheSameFirstStepInBothForms) {
  const std::map<std::string, std::string> options = {{"algorithm_type", "dpmsolver"},
                                                      {"final_sigmas_type", "sigma_min"},
                                                      {"thresholding", "true"},
                                                      {"solver_order", "1"}};
  const auto multi = options_config("DPMSolverMultistepScheduler", options);
  const auto single = options_config("DPMSolverSinglestepScheduler", options);
  EXPECT_TRUE(last_of(multi, {6, {}}).equal(last_of(single, {6, {}})));
}

TEST(DpmSolverTest, AStepWithoutLengthChangesNothing) {
  // Karras levels end on the smallest level, and so does sigma_min: the last step has length 0.
  for (const auto* solver : {"midpoint", "heun"}) {
    for (const auto* order : {"1", "2", "3"}) {
      const auto config = options_config("DPMSolverMultistepScheduler", {{"use_karras_sigmas", "true"},
                                                                         {"final_sigmas_type", "sigma_min"},
                                                                         {"solver_type", solver},
                                                                         {"solver_order", order}});
      const auto samples = walk(*make_scheduler(config)->start({20, {}}), 1);
      EXPECT_LE(testing::relative_error(samples[20], samples[19]), 1e-6) << solver << order;
    }
  }
}

TEST(DpmSolverTest, StartsInTheMiddleWithoutHistory) {
  for (const auto* name : {"DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler"}) {
    for (const std::int64_t begin : {1, 2, 3, 5}) {
      auto run = make_scheduler(options_config(name, {{"solver_order", "3"}}))->start({9, {}});
      at::Tensor x = sample_of(1);
      for (std::int64_t i = begin; i < 9; ++i) x = run->step(x.cos(), i, x, no_noise);
      EXPECT_TRUE(x.isfinite().all().item<bool>());
    }
  }
}

TEST(SchedulerTest, InterleavedRunsOfOneSchedulerDoNotMeet) {
  for (const auto& name : kClasses) {
    const auto scheduler = make_scheduler(options_config(name));
    const auto first = walk(*scheduler->start({7, {}}), 1);
    const auto second = walk(*scheduler->start({6, {}}), 2);
    auto run_a = scheduler->start({7, {}});
    auto run_b = scheduler->start({6, {}});
    at::Tensor a = sample_of(1);
    at::Tensor b = sample_of(2);
    std::int64_t draws_a = 0;
    std::int64_t draws_b = 0;
    for (std::int64_t i = 0; i < 7; ++i) {
      a = run_a->step(a.cos(), i, a, [&](at::IntArrayRef) { return sample_of(100 + draws_a++); });
      EXPECT_TRUE(a.equal(first[static_cast<size_t>(i) + 1]));
      if (i == 6) break;
      b = run_b->step(b.cos(), i, b, [&](at::IntArrayRef) { return sample_of(100 + draws_b++); });
      EXPECT_TRUE(b.equal(second[static_cast<size_t>(i) + 1]));
    }
  }
}

TEST(SchedulerTest, ARunOutlivesItsScheduler) {
  for (const auto& name : kClasses) {
    auto scheduler = make_scheduler(options_config(name));
    auto run = scheduler->start({5, {}});
    const auto expected = walk(*scheduler->start({5, {}}), 3).back();
    scheduler.reset();
    EXPECT_TRUE(walk(*run, 3).back().equal(expected));
  }
}

// A scheduler as a user would write one: straight to the prediction of the clean sample, in equal parts.
class StraightRun : public SchedulerRun {
 public:
  explicit StraightRun(int steps) {
    for (int i = steps; i > 0; --i) timesteps_.push_back(i - 1);
  }
  const std::vector<double>& timesteps() const override { return timesteps_; }
  at::Tensor step(const at::Tensor& prediction, std::int64_t i, const at::Tensor& sample, const DrawNoise&) override {
    return sample + (prediction - sample) / (static_cast<double>(timesteps_.size()) - static_cast<double>(i));
  }
  at::Tensor predict_clean(const at::Tensor& prediction, std::int64_t, const at::Tensor&) const override {
    return prediction;
  }
  at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t) const override {
    return clean + noise;
  }

 private:
  std::vector<double> timesteps_;
};

class StraightScheduler : public Scheduler {
 public:
  std::unique_ptr<SchedulerRun> start(const SchedulePlan& plan) const override {
    return std::make_unique<StraightRun>(plan.steps);
  }
  std::int64_t num_train_timesteps() const override { return 1000; }
  std::string name() const override { return "StraightScheduler"; }
};

TEST(SchedulerTest, AUserBringsOneOfHisOwn) {
  const std::shared_ptr<const Scheduler> scheduler = std::make_shared<StraightScheduler>();
  auto run = scheduler->start({4, {}});
  EXPECT_EQ(run->init_noise_sigma(), 1.0);
  const at::Tensor goal = sample_of(9);
  at::Tensor x = sample_of(1);
  for (std::int64_t i = 0; i < 4; ++i) x = run->step(goal, i, run->scale_model_input(x, i), no_noise);
  EXPECT_LE(testing::relative_error(x, goal), 1e-6);
}

}  // namespace
}  // namespace fjord
