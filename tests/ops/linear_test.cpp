#include "ops/linear.h"

#include "core/device.h"
#include "ops/every_kernel.h"
#include "ops/few_bits.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros_like.h>

namespace fjord {
namespace {

using kernels::Activation;
using kernels::WeightKind;

class Linear : public testing::EveryKernel {
 protected:
  struct Case {
    at::Tensor x, weight, bias, residual;
  };
  static Case make(std::int64_t rows, std::int64_t in, std::int64_t weight_rows, std::int64_t out) {
    return {random(1, {rows, in}), random(2, {weight_rows, in}), testing::normal(3, {weight_rows}),
            random(4, {rows, out})};
  }
  static at::Tensor exact(const Case& c) {
    return at::linear(c.x.to(at::kDouble), c.weight.to(at::kDouble), c.bias.to(at::kDouble));
  }
  static at::Tensor run(const Case& c, bool gated, const ops::LinearExtras& extras) {
    const auto packed = ops::pack_linear(testing::plain_weight(c.weight), gated, dtype(), kernels());
    EXPECT_TRUE(packed.defined());
    return ops::linear(c.x, packed, c.bias, extras, kernels());
  }
  // The weight of a case in few bits, and in the case what they stand for; int4's products with their factors are
  // rounded to bfloat16 where bfloat16 is multiplied.
  static ops::StoredWeight quantize(Case& c, WeightKind kind) {
    const auto stored = testing::in_few_bits(c.weight, kind);
    c.weight = testing::meaning_of(stored);
    const bool rounds = !is_float() && kind == WeightKind::kInt4 && std::string(kernels().name) == "avx512_bf16";
    if (rounds) c.weight = c.weight.to(at::kBFloat16).to(c.weight.scalar_type());
    return stored;
  }
  // x as 8-bit numbers with a factor a row stand for it.
  static at::Tensor rounded(const at::Tensor& x) {
    const auto exact = x.to(at::kFloat);
    const auto top = std::get<0>(exact.abs().max(1, true));
    return (exact * (127 / top)).round().to(at::kDouble) * (top / 127).to(at::kDouble);
  }
};

TEST_P(Linear, AnyNumberOfRowsAndFeatures) {
  for (const std::int64_t rows : {1, 5, 97, 200}) {
    for (const std::int64_t in : {2, 40, 770}) {
      for (const std::int64_t out : {1, 17, 64, 130}) {
        const auto c = make(rows, in, out, out);
        SCOPED_TRACE(::testing::Message() << rows << " rows, " << in << " to " << out);
        expect_close(run(c, false, {}), exact(c), 2e-6, 4e-3);
      }
    }
  }
}

TEST_P(Linear, WithoutBias) {
  const auto c = make(30, 48, 70, 70);
  const auto out =
      ops::linear(c.x, ops::pack_linear(testing::plain_weight(c.weight), false, dtype(), kernels()), {}, {}, kernels());
  expect_close(out, at::linear(c.x.to(at::kDouble), c.weight.to(at::kDouble)), 2e-6, 4e-3);
}

TEST_P(Linear, ActivationThenResidual) {
  const auto c = make(50, 64, 90, 90);
  const auto plain = exact(c);
  const std::pair<Activation, at::Tensor> cases[] = {{Activation::kNone, plain},
                                                     {Activation::kSilu, plain * at::sigmoid(plain)},
                                                     {Activation::kGelu, at::gelu(plain)},
                                                     {Activation::kQuickGelu, plain * at::sigmoid(1.702 * plain)}};
  for (const auto& [activation, expected] : cases) {
    expect_close(run(c, false, {.residual = c.residual, .activation = activation}),
                 expected + c.residual.to(at::kDouble), 2e-6, 4e-3);
  }
}

TEST_P(Linear, GatedMultipliesByTheGeluOfTheSecondHalf) {
  for (const std::int64_t out : {3, 32, 100}) {
    const auto c = make(40, 64, 2 * out, out);
    const auto halves = exact(c).chunk(2, -1);
    expect_close(run(c, true, {}), halves[0] * at::gelu(halves[1]), 2e-6, 4e-3);
  }
}

TEST_P(Linear, KeepsLeadingDimensions) {
  const auto c = make(24, 16, 20, 20);
  const auto packed = ops::pack_linear(testing::plain_weight(c.weight), false, dtype(), kernels());
  const auto out = ops::linear(c.x.view({2, 3, 4, 16}), packed, c.bias, {}, kernels());
  expect_close(out, exact(c).view({2, 3, 4, 20}), 2e-6, 4e-3);
}

TEST_P(Linear, SameResultWithAnyNumberOfThreads) {
  const auto c = make(500, 96, 200, 200);
  const auto with_threads = [&](int threads) {
    const ThreadLimit limit(threads);
    return run(c, false, {});
  };
  EXPECT_TRUE(with_threads(1).equal(with_threads(3)));
}

TEST_P(Linear, AnOddNumberOfInputsIsNotPackedInBFloat16) {
  EXPECT_EQ(ops::pack_linear(testing::plain_weight(random(1, {8, 5})), false, dtype(), kernels()).defined(),
            is_float());
}

TEST_P(Linear, WeightsOfFewBitsAreTheNumbersThatTheyStandFor) {
  for (const auto kind : {WeightKind::kInt8, WeightKind::kInt4}) {
    for (const std::int64_t in : {2, 48, 94, 770, 1030}) {
      for (const std::int64_t out : {1, 70, 130}) {
        auto c = make(100, in, out, out);
        const auto packed = ops::pack_linear(quantize(c, kind), false, dtype(), kernels());
        SCOPED_TRACE(::testing::Message() << in << " to " << out << ", kind " << static_cast<int>(kind));
        expect_close(ops::linear(c.x, packed, c.bias, {c.residual, Activation::kNone}, kernels()),
                     exact(c) + c.residual.to(at::kDouble), 2e-6, 4e-3);
      }
    }
  }
}

TEST_P(Linear, AnOddNumberOfInputsIsServedInFloat32) {
  if (!is_float()) GTEST_SKIP() << "bfloat16 reads pairs";
  for (const auto kind : {WeightKind::kInt8, WeightKind::kInt4}) {
    for (const std::int64_t in : {1, 5, 259, 513}) {
      auto c = make(9, in, 20, 20);
      const auto packed = ops::pack_linear(quantize(c, kind), false, dtype(), kernels());
      SCOPED_TRACE(::testing::Message() << in << " inputs, kind " << static_cast<int>(kind));
      expect_close(ops::linear(c.x, packed, c.bias, {}, kernels()), exact(c), 2e-6, 0);
    }
  }
}

TEST_P(Linear, Int8ProductsAreThoseOfTheRoundedInputs) {
  for (const std::int64_t in : {1, 6, 48, 770, 1283}) {
    for (const std::int64_t out : {1, 70, 130}) {
      auto c = make(100, in, out, out);
      const auto packed = ops::pack_linear(quantize(c, WeightKind::kInt8Product), false, dtype(), kernels());
      const auto result = ops::linear(c.x, packed, c.bias, {}, kernels());
      c.x = rounded(c.x);
      SCOPED_TRACE(::testing::Message() << in << " to " << out);
      expect_close(result, exact(c), 2e-6, 4e-3);
    }
  }
}

TEST_P(Linear, WeightsOfFewBitsCanBeGated) {
  for (const auto kind : {WeightKind::kInt8, WeightKind::kInt8Product, WeightKind::kInt4}) {
    for (const std::int64_t out : {3, 100}) {
      auto c = make(40, 64, 2 * out, out);
      const auto packed = ops::pack_linear(quantize(c, kind), true, dtype(), kernels());
      const auto result = ops::linear(c.x, packed, c.bias, {}, kernels());
      if (kind == WeightKind::kInt8Product) c.x = rounded(c.x);
      const auto halves = exact(c).chunk(2, -1);
      expect_close(result, halves[0] * at::gelu(halves[1]), 2e-6, 4e-3);
    }
  }
}

TEST_P(Linear, BeforeTheGateIsThePlainProduct) {
  for (const std::int64_t out : {3, 32, 100}) {
    const auto c = make(40, 64, 2 * out, out);
    const auto packed = ops::pack_linear(testing::plain_weight(c.weight), true, dtype(), kernels());
    expect_close(ops::linear_before_gate(c.x, packed, c.bias, kernels()), exact(c), 2e-6, 4e-3);
    for (const auto kind : {WeightKind::kInt8, WeightKind::kInt8Product, WeightKind::kInt4}) {
      auto other = make(40, 64, 2 * out, out);
      const auto few_bits = ops::pack_linear(quantize(other, kind), true, dtype(), kernels());
      const auto result = ops::linear_before_gate(other.x, few_bits, other.bias, kernels());
      if (kind == WeightKind::kInt8Product) other.x = rounded(other.x);
      expect_close(result, exact(other), 2e-6, 4e-3);
    }
  }
}

TEST_P(Linear, RowsOfZerosStayZeros) {
  auto c = make(7, 32, 20, 20);
  c.x = at::zeros_like(c.x);
  const auto packed = ops::pack_linear(quantize(c, WeightKind::kInt8Product), false, dtype(), kernels());
  expect_close(ops::linear(c.x, packed, c.bias, {}, kernels()), exact(c), 1e-7, 4e-3);
}

FJORD_FOR_EVERY_KERNEL(Linear);

}  // namespace
}  // namespace fjord
