// int4 weights (docs/quantization.md).
#pragma once

#include <cstdint>

namespace fjord::config {

// Numbers along a row that share a factor: "group_size" of the U-Net's "quantization_config".
inline constexpr std::int64_t kInt4Group = 32;

// Factors of a row of so many numbers.
constexpr std::int64_t int4_groups(std::int64_t row_length) { return (row_length + kInt4Group - 1) / kInt4Group; }

}  // namespace fjord::config
