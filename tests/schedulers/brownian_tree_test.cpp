// What the solvers rest on: seeds as numpy's, Brownian increments as torchsde's, quantiles as scipy's.
#include "schedulers/brownian_tree.h"
#include "schedulers/beta_quantile.h"
#include "schedulers/recorded.h"
#include "schedulers/seed_sequence.h"

namespace fjord::schedulers {
namespace {

const nlohmann::json& recorded() {
  static const auto loaded = testing::recorded_list("brownian", "solvers");
  return loaded;
}

TEST(SeedSequenceTest, EqualsNumpy) {
  for (const auto& about : recorded()["seeds"]) {
    EXPECT_EQ(seed_sequence(about["entropy"], about["spawn_key"], about["pool_size"], 5),
              about["seeds"].get<std::vector<std::uint32_t>>())
        << about;
  }
}

// Bit by bit: the same draws, scaled and added in the same order.
TEST(BrownianTreeTest, IncrementsEqualTorchsde) {
  const auto expected = testing::recorded_tensors("brownian", "solvers");
  for (const auto& about : recorded()["trees"]) {
    const at::Tensor wanted = expected.at(about["key"]);
    const BrownianTree tree(about["low"], about["high"], wanted.sizes().vec(), wanted.scalar_type(), about["seed"]);
    EXPECT_TRUE(tree.increment(about["from"], about["to"]).equal(wanted)) << about;
  }
}

TEST(BrownianTreeTest, IncrementsAddUpAndAnEmptyIntervalHasNone) {
  const BrownianTree tree(0.5, 9, {3, 8}, at::kDouble, 11);
  const at::Tensor parts = tree.increment(1, 2.5) + tree.increment(2.5, 7.25);
  EXPECT_LE(testing::relative_error(parts, tree.increment(1, 7.25)), 1e-12);
  EXPECT_TRUE(tree.increment(2, 2).equal(at::zeros({3, 8}, at::kDouble)));
  EXPECT_TRUE(tree.increment(0, 100).equal(tree.increment(0.5, 9)));  // moved into the interval
}

TEST(BetaQuantileTest, EqualsScipy) {
  for (const auto& about : recorded()["quantiles"]) {
    const double expected = about[3];
    const double actual = beta_quantile(about[0], about[1], about[2]);
    const double nearer_end = std::min(expected, 1 - expected);
    EXPECT_NEAR(actual, expected, 1e-12 * nearer_end + 1e-16) << about;
  }
}

}  // namespace
}  // namespace fjord::schedulers
