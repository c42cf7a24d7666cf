#include "core/philox.h"

#include <array>
#include <cmath>
#include <cstddef>

namespace fjord {
namespace {

constexpr int kRounds = 10;
constexpr std::array<std::uint64_t, 2> kMultipliers = {0xD2511F53, 0xCD9E8D57};
constexpr std::array<std::uint32_t, 2> kKeySteps = {0x9E3779B9, 0xBB67AE85};
constexpr float kStep = 2.3283064e-10F;  // 2^-32
constexpr float kAngleStep = kStep * 6.2831855F;

using Words = std::array<std::uint32_t, 4>;

std::uint32_t high(std::uint64_t product) { return static_cast<std::uint32_t>(product >> 32); }
std::uint32_t low(std::uint64_t product) { return static_cast<std::uint32_t>(product); }

Words philox(Words counter, std::uint64_t seed) {
  std::uint32_t first_key = low(seed), second_key = high(seed);
  for (int round = 0; round < kRounds; ++round) {
    const auto first = kMultipliers[0] * counter[0], second = kMultipliers[1] * counter[2];
    counter = {high(second) ^ counter[1] ^ first_key, low(second), high(first) ^ counter[3] ^ second_key, low(first)};
    first_key += kKeySteps[0];
    second_key += kKeySteps[1];
  }
  return counter;
}

// The first of the two numbers that the Box-Muller transform gives.
float normal(std::uint32_t radius_bits, std::uint32_t angle_bits) {
  const float uniform = static_cast<float>(radius_bits) * kStep + kStep / 2;
  const float angle = static_cast<float>(angle_bits) * kAngleStep + kAngleStep / 2;
  return std::sqrt(-2.0F * std::log(uniform)) * std::sin(angle);
}

}  // namespace

void philox_normal(std::uint64_t seed, std::uint64_t call, std::span<float> out) {
  for (size_t i = 0; i < out.size(); ++i) {
    const auto bits = philox({low(call), high(call), low(i), high(i)}, seed);
    out[i] = normal(bits[0], bits[1]);
  }
}

}  // namespace fjord
