// Pictures that tests/reference/pictures.py draws as well, and what it wrote.
#pragma once

#include <fjord/image.h>

#include <nlohmann/json.hpp>

#include <fstream>
#include <string>
#include <vector>

namespace fjord::testing {

using Json = nlohmann::json;

inline const Json& expected_pictures() {
  static const Json json = Json::parse(std::ifstream(FJORD_TEST_DATA "/pictures/expected.json"));
  return json;
}

// Bytes of a linear congruential generator.
inline std::vector<std::uint8_t> noise_bytes(size_t count, std::uint32_t seed) {
  std::vector<std::uint8_t> bytes(count);
  for (auto& byte : bytes) {
    seed = seed * 1664525u + 1013904223u;
    byte = static_cast<std::uint8_t>(seed >> 24);
  }
  return bytes;
}

inline size_t area(int width, int height) { return static_cast<size_t>(width) * static_cast<size_t>(height); }
inline Image noise_image(int width, int height, std::uint32_t seed = 1) {
  return {width, height, noise_bytes(area(width, height) * 3, seed)};
}
inline Mask noise_mask(int width, int height, std::uint32_t seed = 1) {
  return {width, height, noise_bytes(area(width, height), seed)};
}

inline std::string hex(const std::vector<std::uint8_t>& bytes) {
  std::string out;
  for (const auto byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

}  // namespace fjord::testing
