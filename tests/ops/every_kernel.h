// Tests that run for every table of kernels of this processor, in float32 and bfloat16.
#pragma once

#include "kernels/cpu/kernels.h"
#include "support/seeded_weights.h"

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace fjord::testing {

class EveryKernel : public ::testing::TestWithParam<std::tuple<const kernels::CpuKernels*, at::ScalarType>> {
 protected:
  static const kernels::CpuKernels& kernels() { return *std::get<0>(GetParam()); }
  static at::ScalarType dtype() { return std::get<1>(GetParam()); }
  static bool is_float() { return dtype() == at::kFloat; }

  // Standard normal numbers, rounded to the dtype under test.
  static at::Tensor random(std::uint64_t seed, at::IntArrayRef shape) { return normal(seed, shape).to(dtype()); }
  // As above, channels last in memory.
  static at::Tensor random_map(std::uint64_t seed, at::IntArrayRef shape) {
    return random(seed, shape).contiguous(at::MemoryFormat::ChannelsLast);
  }

  // Against the result in float64 of the same inputs: the largest difference, as a part of the largest value.
  static void expect_close(const at::Tensor& out, const at::Tensor& exact, double float_bound, double bfloat16_bound) {
    ASSERT_EQ(out.sizes(), exact.sizes());
    EXPECT_EQ(out.scalar_type(), dtype());
    EXPECT_LT(relative_error(out.to(at::kDouble), exact), is_float() ? float_bound : bfloat16_bound);
  }
};

#define FJORD_FOR_EVERY_KERNEL(suite)                                                                       \
  INSTANTIATE_TEST_SUITE_P(All, suite,                                                                      \
                           ::testing::Combine(::testing::ValuesIn(fjord::kernels::supported_cpu_kernels()), \
                                              ::testing::Values(at::kFloat, at::kBFloat16)),                \
                           [](const auto& one) {                                                            \
                             return std::string(std::get<0>(one.param)->name) +                             \
                                    (std::get<1>(one.param) == at::kFloat ? "_float32" : "_bfloat16");      \
                           })

}  // namespace fjord::testing
