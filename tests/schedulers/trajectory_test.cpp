// Every configuration step by step against diffusers.
#include "schedulers/make_scheduler.h"
#include "schedulers/recorded.h"

namespace fjord {
namespace {

using testing::network;
using testing::relative_error;

const testing::Tensors& tensors() {
  static const auto loaded = testing::recorded_tensors("trajectories");
  return loaded;
}

const nlohmann::json& cases() {
  static const auto loaded = testing::recorded_list("cases");
  return loaded;
}

struct Recording {
  explicit Recording(size_t index)
      : about(cases()[index]),
        key(about["key"]),
        begin(about["begin"]),
        scheduler(schedulers::make_scheduler(testing::recorded_config(about["config"]))),
        run(scheduler->start(testing::recorded_plan(about["plan"]))) {
    const auto& config = about["config"];
    if (config.contains("variance_type") && config["variance_type"].is_string()) variance = config["variance_type"];
  }

  at::Tensor tensor(const std::string& what) const { return tensors().at(key + "." + what); }
  at::Tensor predict(const at::Tensor& x, size_t i) const {
    return network(x, run->timesteps()[i], tensors().at("bias").to(x.scalar_type()), variance);
  }
  // The step at which the clean sample and the noise level were recorded.
  size_t middle() const { return (begin + run->timesteps().size()) / 2; }
  // All samples of a run in `dtype`; counts the draws.
  std::vector<at::Tensor> walk(at::ScalarType dtype, std::int64_t& draws) {
    std::vector<at::Tensor> samples;
    at::Tensor x = tensors().at("start").to(dtype);
    const DrawNoise draw = [&](at::IntArrayRef shape) {
      EXPECT_EQ(shape, x.sizes());
      return tensors().at("noise")[draws++].clone();
    };
    for (size_t i = begin; i < run->timesteps().size(); ++i) {
      const auto index = static_cast<std::int64_t>(i);
      x = run->step(predict(x, i), index, run->scale_model_input(x, index), draw);
      EXPECT_EQ(x.scalar_type(), dtype);
      samples.push_back(x);
    }
    return samples;
  }

  nlohmann::json about;
  std::string key;
  size_t begin;  // the first step; above 0 as in img2img
  std::string variance;
  std::unique_ptr<const Scheduler> scheduler;
  std::unique_ptr<SchedulerRun> run;
};

class TrajectoryTest : public ::testing::TestWithParam<size_t> {
 protected:
  Recording recording_{GetParam()};

  void expect_same_walk(at::ScalarType dtype, const std::string& recorded, double tolerance) {
    const at::Tensor expected = recording_.tensor(recorded);
    std::int64_t draws = 0;
    const auto samples = recording_.walk(dtype, draws);
    ASSERT_EQ(static_cast<std::int64_t>(samples.size()), expected.size(0));
    for (size_t i = 0; i < samples.size(); ++i) {
      EXPECT_LE(relative_error(samples[i], expected[static_cast<std::int64_t>(i)]), tolerance)
          << "sample " << i << " of " << recording_.about;
    }
    EXPECT_EQ(draws, recording_.about["draws"].get<std::int64_t>()) << recording_.about;
  }
};

TEST_P(TrajectoryTest, VisitsTheTimestepsOfTheReference) {
  const at::Tensor expected = recording_.tensor("timesteps").to(at::kDouble);
  const auto& timesteps = recording_.run->timesteps();
  EXPECT_THAT(timesteps, ::testing::ElementsAreArray(expected.const_data_ptr<double>(), size_t(expected.numel())));
  EXPECT_EQ(recording_.run->init_noise_sigma(), recording_.about["init_noise_sigma"].get<double>());
  EXPECT_EQ(recording_.scheduler->name(), recording_.about["config"]["_class_name"]);
}

// The same algorithm in the same precision: what is left is the order of a few scalar operations.
TEST_P(TrajectoryTest, EqualsReferenceInFloat64) { expect_same_walk(at::kDouble, "float64", 1e-10); }

// The reference computes its coefficients in float32, we in double.
TEST_P(TrajectoryTest, EqualsReferenceInFloat32) { expect_same_walk(at::kFloat, "float32", 1e-5); }

// Not equal: LibTorch's CPU kernels round a coefficient to bfloat16 when it stands left of the tensor, as it does in
// the reference, and not when it stands right of it, as it does here. So: not further from the truth than the
// reference.
TEST_P(TrajectoryTest, IsAsExactAsReferenceInBfloat16) {
  if (tensors().count(recording_.key + ".bfloat16") == 0) return;  // recorded for every tenth case
  std::int64_t draws = 0;
  const auto samples = recording_.walk(at::kBFloat16, draws);
  const at::Tensor exact = recording_.tensor("float64");
  const auto error = [&](const at::Tensor& walk) { return ((walk - exact).norm() / exact.norm()).item<double>(); };
  const double ours = error(at::stack(samples).to(at::kDouble));
  const double reference = error(recording_.tensor("bfloat16").to(at::kDouble));
  EXPECT_LE(ours, 2 * reference) << recording_.about;
}

TEST_P(TrajectoryTest, PredictsTheCleanSampleOfTheReferenceWithoutTouchingTheRun) {
  const size_t middle = recording_.middle();
  const at::Tensor samples = recording_.tensor("float64");
  const auto before = static_cast<std::int64_t>(middle) - static_cast<std::int64_t>(recording_.begin) - 1;
  const at::Tensor x = before < 0 ? tensors().at("start").to(at::kDouble) : samples[before];
  const auto index = static_cast<std::int64_t>(middle);
  const at::Tensor clean = recording_.run->predict_clean(recording_.predict(x, middle), index, x);
  EXPECT_LE(relative_error(clean, recording_.tensor("clean")), 1e-10) << recording_.about;
  expect_same_walk(at::kDouble, "float64", 1e-10);
}

TEST_P(TrajectoryTest, AddsNoiseAsTheReference) {
  const auto middle = static_cast<std::int64_t>(recording_.middle());
  const at::Tensor clean = tensors().at("start").to(at::kDouble);
  const at::Tensor noised = recording_.run->add_noise(clean, tensors().at("noise")[0], middle);
  EXPECT_LE(relative_error(noised, recording_.tensor("noised")), 1e-12) << recording_.about;
}

std::string case_name(const ::testing::TestParamInfo<size_t>& parameter) {
  const auto& about = cases()[parameter.param];
  return about["config"]["_class_name"].get<std::string>() + "_" + about["key"].get<std::string>();
}

INSTANTIATE_TEST_SUITE_P(Recorded, TrajectoryTest, ::testing::Range<size_t>(0, cases().size()), case_name);

}  // namespace
}  // namespace fjord
