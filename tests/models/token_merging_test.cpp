// Token merging on pixels whose partners can be seen.
#include "models/common/token_merging.h"

#include "support/seeded_weights.h"

namespace fjord::models {
namespace {

// A 2x4 map of two features: the destinations are pixels 0 and 2.
at::Tensor pixels() {
  return at::tensor({1.0F, 0.0F, 4.0F, 0.5F, 0.0F, 1.0F, 1.0F, 1.0F,  //
                     0.1F, 4.0F, 1.0F, 0.9F, 9.0F, 0.1F, 0.9F, 1.0F})
      .view({1, 8, 2});
}

TEST(TokenMergingTest, TheNearestPixelsJoinTheirDestination) {
  const auto x = pixels();
  const TokenMerging merging(x, {2, 4, 0.375});  // three: pixels 6, 4 and 1, by their cosines
  const auto merged = merging.merge(x);
  ASSERT_EQ(merged.sizes(), (std::vector<std::int64_t>{1, 5, 2}));
  const auto means = at::tensor({14.0F / 3, 0.2F, 0.05F, 2.5F}).view({2, 2});
  EXPECT_TRUE(at::allclose(merged[0].slice(0, 3), means));
  const auto back = merging.unmerge(merged)[0];
  for (const int pixel : {0, 1, 6}) EXPECT_TRUE(at::allclose(back[pixel], means[0])) << pixel;
  for (const int pixel : {2, 4}) EXPECT_TRUE(at::allclose(back[pixel], means[1])) << pixel;
  for (const int pixel : {3, 5, 7}) EXPECT_TRUE(back[pixel].equal(x[0][pixel])) << pixel;
}

TEST(TokenMergingTest, ThreeQuartersLeaveTheDestinationsAlone) {
  const auto x = testing::normal(3, {2, 36, 8});
  const TokenMerging merging(x, {6, 6, 0.75});
  EXPECT_EQ(merging.merge(x).size(1), 9);
  EXPECT_EQ(merging.unmerge(merging.merge(x)).sizes(), x.sizes());
}

TEST(TokenMergingTest, MapsWithoutAWholeCellStayAsTheyAre) {
  const auto x = testing::normal(4, {2, 3, 8});
  const TokenMerging merging(x, {1, 3, 0.75});
  EXPECT_TRUE(merging.merge(x).equal(x));
  EXPECT_TRUE(merging.unmerge(x).equal(x));
}

TEST(TokenMergingTest, AnOddRowAndColumnHaveNoDestinations) {
  const auto x = testing::normal(5, {1, 15, 8});
  EXPECT_EQ(TokenMerging(x, {3, 5, 0.75}).merge(x).size(1), 4);  // 11 of 15 merged, 2 destinations and 2 kept
}

TEST(TokenMergingTest, WorksInBFloat16) {
  const auto x = testing::normal(6, {2, 16, 8}).to(at::kBFloat16);
  const TokenMerging merging(x, {4, 4, 0.5});
  EXPECT_EQ(merging.unmerge(merging.merge(x)).scalar_type(), at::kBFloat16);
}

}  // namespace
}  // namespace fjord::models
