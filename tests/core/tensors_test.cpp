#include "core/tensors.h"

#include <fjord/error.h>

namespace fjord {
namespace {

TEST(TensorsTest, ArrayRoundTrip) {
  const auto tensor = at::arange(6, at::kFloat).view({2, 3}).t();
  const auto array = to_array(tensor);
  EXPECT_EQ(array.shape, (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(array.values, (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_TRUE(at::equal(to_tensor(array, "x"), tensor));
}

TEST(TensorsTest, ConvertsToFloat32) { EXPECT_EQ(to_array(at::ones({2}, at::kBFloat16)).values[1], 1.0F); }

TEST(TensorsTest, RefusesShapesThatDoNotFit) {
  EXPECT_THROW(to_tensor({{2, 2}, {1, 2, 3}}, "x"), Error);
  EXPECT_THROW(to_tensor({{-1}, {}}, "x"), Error);
  EXPECT_THROW(to_tensor({{std::int64_t{1} << 40, std::int64_t{1} << 40}, {}}, "x"), Error);
}

}  // namespace
}  // namespace fjord
