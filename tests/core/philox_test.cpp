// Random numbers as a GPU draws them. Expected bits: the known answers of the authors' Random123 library, checked
// through the normal numbers that follow from them; whole pictures are compared with numpy in
// tests/pipeline/presets_test.cpp.
#include "core/philox.h"
#include "core/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace fjord {
namespace {

// Counter 0 and key 0 give the words 6627e8d5 e169c58d bc57ac4c 9b00dbd8 (kat_vectors, philox4x32, 10 rounds).
TEST(PhiloxTest, TheFirstNumberFollowsFromTheKnownAnswer) {
  std::array<float, 1> out{};
  philox_normal(0, 0, out);
  const double radius = 0x6627e8d5 * std::ldexp(1, -32), angle = 0xe169c58d * std::ldexp(1, -32) * 2 * M_PI;
  EXPECT_NEAR(out[0], std::sqrt(-2 * std::log(radius)) * std::sin(angle), 1e-6);
}

TEST(PhiloxTest, CallsAndSeedsAreStreamsOfTheirOwn) {
  NoiseStream stream(7, NoiseSource::kTorchCuda), again(7, NoiseSource::kTorchCuda), other(8, NoiseSource::kTorchCuda);
  const auto first = stream.draw({1, 4, 4, 4});
  EXPECT_TRUE(first.equal(again.draw({1, 4, 4, 4})));
  EXPECT_FALSE(first.equal(stream.draw({1, 4, 4, 4})));
  EXPECT_FALSE(first.equal(other.draw({1, 4, 4, 4})));
  NoiseStream both(std::vector<std::uint64_t>{7, 8}, NoiseSource::kTorchCuda);
  EXPECT_TRUE(both.draw({2, 4, 4, 4}).slice(0, 0, 1).equal(first));
}

TEST(PhiloxTest, NumbersAreStandardNormal) {
  NoiseStream stream(1, NoiseSource::kTorchCuda);
  const auto noise = stream.draw({1, 1, 256, 256});
  EXPECT_NEAR(noise.mean().item<double>(), 0, 0.02);
  EXPECT_NEAR(noise.std().item<double>(), 1, 0.02);
}

}  // namespace
}  // namespace fjord
