// A memory saves work, not pictures: every network must give the same with one as without.
#include "models/unet_cases.h"
#include "support/seeded_weights.h"

#include <c10/core/InferenceMode.h>

namespace fjord::models {
namespace {

using testing::normal;
using testing::relative_error;

// Sums in a larger batch may be rounded in another order.
constexpr double kTolerance = 4e-6;  // MKL sums in another order for other numbers of rows: 2.4e-6 on an Intel Xeon

class RunMemoryTest : public ::testing::TestWithParam<std::string> {
 protected:
  RunMemoryTest() : unet_(testing::make_unet(GetParam())) {
    input_ = testing::unet_inputs(unet_->config(), {2, 4, 8, 12});
  }

  // The input at a timestep of the whole batch, with another sample each time.
  UNetInput at_timestep(double timestep) {
    auto input = input_;
    input.sample = normal(++samples_, input_.sample.sizes());
    input.timesteps.reset();
    input.timestep = timestep;
    return input;
  }

  c10::InferenceMode inference_;
  std::unique_ptr<UNet2DConditionModel> unet_;
  UNetInput input_;
  std::uint64_t samples_ = 10;
};

// Foreseen, repeated and fractional timesteps, one that was not foreseen; the whole batch, and its last row alone.
TEST_P(RunMemoryTest, GivesTheSameAsWithout) {
  RunMemory memory;
  memory.timesteps = {981, 400.5, 400.5, 3};
  for (const double timestep : {981.0, 77.25, 400.5}) {
    auto input = at_timestep(timestep);
    const auto wanted = unet_->forward(input);
    input.memory = &memory;
    EXPECT_LE(relative_error(unet_->forward(input), wanted), kTolerance) << timestep;
    input.sample = last_rows(input.sample, 1);
    EXPECT_LE(relative_error(unet_->forward(input), last_rows(wanted, 1)), kTolerance) << timestep;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, RunMemoryTest, ::testing::ValuesIn(testing::model_cases("unet")),
                         [](const auto& each) { return each.param; });

TEST(RunMemoryReuseTest, TheTextAndTheTimesAreComputedOnce) {
  const c10::InferenceMode inference;
  const auto unet = testing::make_unet("unet_sd1");
  auto input = testing::unet_inputs(unet->config(), {2, 4, 8, 8});
  RunMemory memory;
  memory.timesteps = {700, 20};
  input.memory = &memory;
  input.timestep = 700;
  const auto first = unet->forward(input);
  EXPECT_EQ(memory.text_keys.size(), 11U);         // one a transformer block
  EXPECT_EQ(memory.time_projections.size(), 17U);  // one a residual block
  EXPECT_EQ(memory.time_features.size(0), 2);      // one row a timestep: nothing else is embedded
  input.encoder_hidden_states = at::zeros_like(input.encoder_hidden_states);
  EXPECT_TRUE(unet->forward(input).equal(first)) << "the text was read again";
}

}  // namespace
}  // namespace fjord::models
