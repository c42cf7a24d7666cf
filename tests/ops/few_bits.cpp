#include "ops/few_bits.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

namespace fjord::testing {
namespace {

using kernels::WeightKind;

constexpr std::int64_t kGroup = 32;

// Factors that bring the largest number of a group to 7, as bfloat16.
at::Tensor factors_of(const at::Tensor& rows, std::int64_t groups) {
  auto factors = at::zeros({rows.size(0), groups}, at::kFloat);
  const auto numbers = rows.accessor<float, 2>();
  auto out = factors.accessor<float, 2>();
  for (std::int64_t r = 0; r < rows.size(0); ++r) {
    for (std::int64_t i = 0; i < rows.size(1); ++i) {
      out[r][i / kGroup] = std::max(out[r][i / kGroup], std::abs(numbers[r][i]) / 7);
    }
  }
  return factors.to(at::kBFloat16);
}

ops::StoredWeight in_int4(const at::Tensor& rows) {
  const auto count = rows.size(0), length = rows.size(1);
  const auto factors = factors_of(rows, (length + kGroup - 1) / kGroup), exact = factors.to(at::kFloat);
  auto bytes = at::zeros({count, (length + 1) / 2}, at::kByte);
  const auto numbers = rows.accessor<float, 2>(), factor = exact.accessor<float, 2>();
  auto out = bytes.accessor<std::uint8_t, 2>();
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t i = 0; i < length; ++i) {
      const auto whole = std::clamp(std::lround(numbers[r][i] / factor[r][i / kGroup]), -8L, 7L) + 8;
      out[r][i / 2] |= static_cast<std::uint8_t>(i % 2 == 0 ? whole : whole << 4);
    }
  }
  return {bytes, WeightKind::kInt4, factors, length};
}

}  // namespace

ops::StoredWeight plain_weight(const at::Tensor& weight) {
  return {weight, WeightKind::kPlain, {}, weight.numel() / weight.size(0)};
}

ops::StoredWeight in_few_bits(const at::Tensor& weight, WeightKind kind) {
  const auto rows = weight.flatten(1).to(at::kFloat);
  if (kind == WeightKind::kInt4) return in_int4(rows);
  const auto factors = std::get<0>(rows.abs().max(1)) / 127;
  const auto values = (rows / factors.unsqueeze(1)).round().to(at::kChar);
  return {values.view(weight.sizes()), kind, factors, rows.size(1)};
}

at::Tensor meaning_of(const ops::StoredWeight& weight) {
  if (weight.kind != WeightKind::kInt4) {
    return weight.values.flatten(1).to(at::kDouble) * weight.factors.to(at::kDouble).unsqueeze(1);
  }
  auto numbers = at::zeros({weight.values.size(0), weight.row_length}, at::kDouble);
  const auto factors = weight.factors.to(at::kDouble);
  const auto bytes = weight.values.accessor<std::uint8_t, 2>();
  const auto factor = factors.accessor<double, 2>();
  auto out = numbers.accessor<double, 2>();
  for (std::int64_t r = 0; r < numbers.size(0); ++r) {
    for (std::int64_t i = 0; i < weight.row_length; ++i) {
      const int whole = i % 2 == 0 ? bytes[r][i / 2] & 15 : bytes[r][i / 2] >> 4;
      out[r][i] = (whole - 8) * factor[r][i / kGroup];
    }
  }
  return numbers;
}

}  // namespace fjord::testing
