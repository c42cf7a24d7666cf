#include "core/cuda_paths.h"

#include "support/error_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fjord {
namespace {

using ::testing::HasSubstr;

TEST(CudaPathsTest, AllNoneOrByName) {
  const auto all = parse_cuda_paths("auto"), none = parse_cuda_paths("none"), two = parse_cuda_paths("graph,products");
  EXPECT_TRUE(all.graph && all.update && all.sums && all.projections && all.upsampling && all.products);
  EXPECT_TRUE(all.convolutions);
  EXPECT_FALSE(none.graph || none.update || none.sums || none.projections || none.upsampling || none.products);
  EXPECT_FALSE(none.convolutions);
  EXPECT_TRUE(two.graph && two.products);
  EXPECT_FALSE(two.update || two.sums || two.projections || two.upsampling || two.convolutions);
}

TEST(CudaPathsTest, RefusesOtherNames) {
  for (const char* names : {"graphs", "graph;update", "Auto", "", "graph, update"}) {
    const auto error = testing::error_of([&] { parse_cuda_paths(names); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << names;
    EXPECT_THAT(error.what(), HasSubstr("cuda_paths must")) << names;
  }
}

}  // namespace
}  // namespace fjord
