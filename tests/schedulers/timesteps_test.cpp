// Tables bit by bit, and the timesteps of every class and spacing for all numbers of steps.
#include "schedulers/make_scheduler.h"
#include "schedulers/noise_schedule.h"
#include "schedulers/recorded.h"
#include "schedulers/timestep_spacing.h"

#include <fjord/error.h>

namespace fjord {
namespace {

TEST(NoiseScheduleTest, TablesEqualReferenceBitByBit) {
  const auto tables = testing::recorded_tensors("tables");
  for (const auto& about : testing::recorded_list("tables")) {
    const auto config = testing::recorded_config(about["config"]);
    const at::Tensor table = schedulers::alphas_cumprod(config, config.rescale_betas_zero_snr.value_or(false));
    EXPECT_EQ(table.scalar_type(), at::kFloat);
    EXPECT_TRUE(table.equal(tables.at(about["key"]))) << about;
  }
}

TEST(NoiseScheduleTest, ZeroTerminalSnrEndsAtExactlyZero) {
  const auto table = schedulers::alphas_cumprod(testing::options_config("DDIMScheduler"), true);
  EXPECT_EQ(table[-1].item<float>(), 0.0f);
  EXPECT_GT(table[-2].item<float>(), 0.0f);
}

// The digest that the reference script takes of a list of timesteps.
std::uint32_t digest(const std::vector<double>& timesteps) {
  std::uint64_t value = 1469598103934665603u;
  for (const double t : timesteps) value = (value ^ static_cast<std::uint64_t>(t)) * 1099511628211u;
  return static_cast<std::uint32_t>(value >> 32) | 1u;
}

std::uint32_t digest_of(const Scheduler& scheduler, int steps) {
  try {
    return digest(scheduler.start({steps, {}})->timesteps());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return 0;
  }
}

TEST(TimestepSweepTest, EveryNumberOfStepsGivesTheTimestepsOfTheReference) {
  const auto sweeps = testing::recorded_tensors("sweeps");
  for (const auto& about : testing::recorded_list("sweeps")) {
    const auto scheduler = schedulers::make_scheduler(testing::recorded_config(about["config"]));
    const at::Tensor expected = sweeps.at(about["key"]);
    std::vector<int> wrong;
    for (std::int64_t row = 0; row < expected.size(0); ++row) {
      const int steps = expected[row][0].item<int>();
      const auto wanted = static_cast<std::uint32_t>(expected[row][1].item<int>());
      if (digest_of(*scheduler, steps) != wanted) wrong.push_back(steps);
    }
    EXPECT_THAT(wrong, ::testing::IsEmpty()) << about;
  }
}

TEST(TimestepSpacingTest, TrailingSpacingNeverGoesBelowZero) {
  for (std::int64_t steps = 1; steps <= 1000; ++steps) {
    const auto timesteps = schedulers::spaced_timesteps(schedulers::Spacing::kTrailing, 1000, steps, 0);
    ASSERT_EQ(timesteps.size(), static_cast<size_t>(steps));
    ASSERT_GE(timesteps.back(), 0);
  }
}

}  // namespace
}  // namespace fjord
