// Guidance by hand: two pixels whose result can be worked out on paper.
#include "pipeline/guidance.h"

namespace fjord::pipeline {
namespace {

TEST(GuidanceTest, ExtrapolatesFromTheUnguidedBranch) {
  const auto without = at::tensor({1.0F, 2.0F}).view({1, 1, 1, 2});
  const auto with = at::tensor({2.0F, 0.0F}).view({1, 1, 1, 2});
  EXPECT_TRUE(at::equal(guide(without, with, 3.0, 0.0), at::tensor({4.0F, -4.0F}).view({1, 1, 1, 2})));
}

TEST(GuidanceTest, FullRescaleHasTheDeviationOfTheGuidedBranch) {
  const auto without = at::randn({2, 4, 3, 3});
  const auto with = at::randn({2, 4, 3, 3});
  const auto out = guide(without, with, 7.5, 1.0);
  EXPECT_TRUE(at::allclose(out.std(at::IntArrayRef{1, 2, 3}), with.std(at::IntArrayRef{1, 2, 3}), 1e-4));
}

TEST(GuidanceTest, PartialRescaleLiesBetween) {
  const auto without = at::randn({1, 4, 3, 3});
  const auto with = at::randn({1, 4, 3, 3});
  const auto none = guide(without, with, 7.5, 0.0);
  const auto full = guide(without, with, 7.5, 1.0);
  EXPECT_TRUE(at::allclose(guide(without, with, 7.5, 0.25), 0.25 * full + 0.75 * none, 1e-4, 1e-5));
}

}  // namespace
}  // namespace fjord::pipeline
