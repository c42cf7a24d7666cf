// Noise equal to torch's: the first numbers of torch.randn(16, generator=torch.Generator("cpu").manual_seed(42)).
#include "core/random.h"

#include <fjord/error.h>

namespace fjord {
namespace {

TEST(NoiseStreamTest, EqualsTorchManualSeed) {
  const auto noise = NoiseStream(42).draw({16});
  const auto expected = at::tensor({1.9269F, 1.4873F, 0.9007F, -2.1055F});
  EXPECT_TRUE(at::allclose(noise.narrow(0, 0, 4), expected, 0, 5e-5));
}

TEST(NoiseStreamTest, OneStreamGoesOnFromDrawToDraw) {
  NoiseStream stream(7);
  const auto first = stream.draw({2, 16});
  const auto second = stream.draw({2, 16});
  EXPECT_FALSE(at::equal(first, second));
  NoiseStream again(7);
  EXPECT_TRUE(at::equal(again.draw({2, 16}), first));
  EXPECT_TRUE(at::equal(again.draw({2, 16}), second));
}

TEST(NoiseStreamTest, EveryImageHasItsOwnStream) {
  NoiseStream streams(std::vector<std::uint64_t>{3, 9});
  const auto both = streams.draw({2, 4, 8});
  EXPECT_TRUE(at::equal(both[0], NoiseStream(3).draw({1, 4, 8})[0]));
  EXPECT_TRUE(at::equal(both[1], NoiseStream(9).draw({1, 4, 8})[0]));
  EXPECT_THROW(streams.draw({3, 4, 8}), Error);
}

TEST(NoiseStreamTest, TakesTheLargestSeed) {
  EXPECT_TRUE(NoiseStream(~std::uint64_t{0}).draw({16}).isfinite().all().item<bool>());
}

}  // namespace
}  // namespace fjord
