// Every configuration of tests/reference/solvers.py step by step against diffusers.
#include "schedulers/make_scheduler.h"
#include "schedulers/recorded.h"

#include <fjord/error.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fjord {
namespace {

using testing::relative_error;
using testing::solver_cases;
using testing::solver_tensors;

class SolverTest : public ::testing::TestWithParam<size_t> {
 protected:
  at::Tensor recorded(const std::string& what) const { return solver_tensors().at(key_ + "." + what); }
  at::Tensor predict(const at::Tensor& input, size_t i) const {
    return testing::network(input, run_->timesteps()[i], solver_tensors().at("bias").to(input.scalar_type()), "");
  }
  // The evaluation at which the input, the clean sample and the noise level were recorded.
  size_t middle() const { return (begin_ + run_->timesteps().size()) / 2; }

  // One tolerance for every sample.
  void expect_same_walk(at::ScalarType dtype, const at::Tensor& expected, const std::vector<double>& tolerances) {
    std::int64_t draws = 0;
    const DrawNoise draw = [&](at::IntArrayRef) { return solver_tensors().at("noise")[draws++].clone(); };
    at::Tensor x = solver_tensors().at("start").to(dtype);
    double worst = 0;
    ASSERT_EQ(static_cast<std::int64_t>(run_->timesteps().size() - begin_), expected.size(0)) << about_;
    for (size_t i = begin_; i < run_->timesteps().size(); ++i) {
      const auto index = static_cast<std::int64_t>(i);
      x = run_->step(predict(run_->scale_model_input(x, index), i), index, x, draw);
      EXPECT_EQ(x.scalar_type(), dtype);
      const double error = relative_error(x, expected[static_cast<std::int64_t>(i - begin_)]);
      ASSERT_LE(error, tolerances[i - begin_]) << "sample " << i << " of " << about_;
      worst = std::max(worst, error);
    }
    RecordProperty("log10_error", std::to_string(std::log10(worst + 1e-300)));
    EXPECT_EQ(draws, about_["draws"].get<std::int64_t>()) << about_;
  }

  void expect_float64_walk() {
    const at::Tensor expected = recorded("float64");
    expect_same_walk(at::kDouble, expected, std::vector<double>(static_cast<size_t>(expected.size(0)), 1e-10));
  }

  nlohmann::json about_ = solver_cases()[GetParam()];
  std::string key_ = about_["key"];
  size_t begin_ = about_["begin"];  // the first evaluation; above 0 as in img2img
  std::unique_ptr<const Scheduler> scheduler_ = schedulers::make_scheduler(testing::recorded_config(about_["config"]));
  std::unique_ptr<SchedulerRun> run_ = scheduler_->start(testing::recorded_plan(about_["plan"]));
};

// The double logarithms and powers of numpy and of the C library differ in their last bit; timesteps that the reference
// rounds to float32 or to whole numbers hide it, the others show 1e-13.
TEST_P(SolverTest, VisitsTheTimestepsOfTheReference) {
  const at::Tensor expected = recorded("timesteps");
  const at::Tensor actual = at::tensor(run_->timesteps(), at::kDouble);
  ASSERT_EQ(actual.sizes(), expected.sizes()) << about_;
  EXPECT_LE((actual - expected).abs().max().item<double>(), 1e-9) << about_;
  EXPECT_EQ(run_->init_noise_sigma(), about_["init_noise_sigma"].get<double>()) << about_;
  EXPECT_EQ(run_->evaluations_per_step(), about_["order"].get<std::int64_t>());
  EXPECT_EQ(scheduler_->name(), about_["config"]["_class_name"]);
}

// The same algorithm in the same precision: what is left is the order of a few scalar operations.
TEST_P(SolverTest, EqualsReferenceInFloat64) { expect_float64_walk(); }

// The reference computes its coefficients in float32, we in double. DEIS subtracts nearly equal numbers where levels
// are far apart, in both: where that takes a sample of the reference further than the tolerance from its own float64,
// ours may be no further from it than twice that.
TEST_P(SolverTest, EqualsReferenceInFloat32) {
  constexpr double kTolerance = 1e-5;
  const at::Tensor narrow = recorded("float32");
  const at::Tensor wide = recorded("float64");
  std::vector<at::Tensor> expected;
  std::vector<double> tolerances;
  for (std::int64_t i = 0; i < narrow.size(0); ++i) {
    const double own = relative_error(narrow[i], wide[i]);
    const bool cancels = own > kTolerance && about_["config"]["_class_name"] == "DEISMultistepScheduler";
    expected.push_back(cancels ? wide[i] : narrow[i].to(at::kDouble));
    tolerances.push_back(cancels ? 2 * own : kTolerance);
  }
  expect_same_walk(at::kFloat, at::stack(expected), tolerances);
}

TEST_P(SolverTest, PredictsTheCleanSampleOfTheReferenceWithoutTouchingTheRun) {
  const at::Tensor expected = recorded("middle");  // a noised sample, and for most classes a clean one
  if (expected.size(0) == 2) {
    const auto before = static_cast<std::int64_t>(middle() - begin_) - 1;
    const at::Tensor x = before < 0 ? solver_tensors().at("start").to(at::kDouble) : recorded("float64")[before];
    const auto index = static_cast<std::int64_t>(middle());
    const at::Tensor prediction = predict(run_->scale_model_input(x, index), middle());
    EXPECT_LE(relative_error(run_->predict_clean(prediction, index, x), expected[1]), 1e-10) << about_;
  }
  expect_float64_walk();
}

TEST_P(SolverTest, AddsNoiseAsTheReference) {
  const at::Tensor clean = solver_tensors().at("start").to(at::kDouble);
  const at::Tensor noised =
      run_->add_noise(clean, solver_tensors().at("noise")[0], static_cast<std::int64_t>(middle()));
  EXPECT_LE(relative_error(noised, recorded("middle")[0]), 1e-12) << about_;
}

std::string case_name(const ::testing::TestParamInfo<size_t>& parameter) {
  const auto& about = solver_cases()[parameter.param];
  return about["config"]["_class_name"].get<std::string>() + "_" + about["key"].get<std::string>();
}

INSTANTIATE_TEST_SUITE_P(Recorded, SolverTest, ::testing::Range<size_t>(0, solver_cases().size()), case_name);

std::uint32_t digest(const std::vector<double>& values) {
  std::uint64_t result = 1469598103934665603u;
  for (const double value : values) {
    const auto narrow = static_cast<float>(value);
    std::uint32_t bits = 0;
    std::memcpy(&bits, &narrow, sizeof bits);
    result = (result ^ bits) * 1099511628211u;
  }
  return static_cast<std::uint32_t>(result >> 32) | 1u;
}

// The timesteps, and the noise-to-signal ratios that add_noise shows. Their quotient is rounded to the float32 that
// they were computed from.
std::uint32_t digest_of(const Scheduler& scheduler, int steps, bool levels) {
  try {
    const auto run = scheduler.start({steps, {}});
    std::vector<double> values = run->timesteps();
    const at::Tensor zero = at::zeros({1}, at::kDouble);
    const at::Tensor one = at::ones({1}, at::kDouble);
    for (size_t i = 0; levels && i < run->timesteps().size(); ++i) {
      const auto index = static_cast<std::int64_t>(i);
      values.push_back((run->add_noise(zero, one, index) / run->add_noise(one, zero, index)).item<double>());
    }
    return digest(values);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return 0;
  }
}

TEST(SolverSweepTest, EveryNumberOfStepsGivesTheTablesOfTheReferenceBitByBit) {
  const auto sweeps = testing::recorded_tensors("sweeps", "solvers");
  for (const auto& about : testing::recorded_list("sweeps", "solvers")) {
    const auto scheduler = schedulers::make_scheduler(testing::recorded_config(about["config"]));
    const std::string name = scheduler->name();
    const bool levels = name != "PNDMScheduler" && name != "LCMScheduler" && name != "TCDScheduler";
    const at::Tensor expected = sweeps.at(about["key"]);
    std::vector<int> wrong;
    for (std::int64_t row = 0; row < expected.size(0); ++row) {
      const int steps = expected[row][0].item<int>();
      const auto wanted = static_cast<std::uint32_t>(expected[row][1].item<int>());
      if (wanted != 0 && digest_of(*scheduler, steps, levels) != wanted) wrong.push_back(steps);
    }
    EXPECT_THAT(wrong, ::testing::IsEmpty()) << about;
  }
}

}  // namespace
}  // namespace fjord
