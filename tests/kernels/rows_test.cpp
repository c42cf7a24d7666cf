// The bodies of the kernels over rows and elements on emulated threads against float64.
#include "kernels/cuda/group_norm_body.h"
#include "kernels/cuda/rows_body.h"

#include "kernels/element_array.h"
#include "kernels/emulator.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fjord::testing {
namespace {

using namespace kernels::cuda;  // NOLINT: the names of one header

// Half a unit in the last place of the largest result, and four units of the float32 arithmetic before it, which grow
// with the mean that is subtracted.
double tolerance(Element element, const std::vector<double>& expected, double mean = 0) {
  double most = 0;
  for (const double x : expected) most = std::max(most, std::fabs(x));
  const double half_unit = element == Element::kFloat32 ? 0 : element == Element::kFloat16 ? 0x1p-11 : 0x1p-8;
  return most * (half_unit + 0x1p-22 * (1 + mean));
}

const std::vector<Element> kElements = {Element::kFloat32, Element::kFloat16, Element::kBFloat16};

// f.operator()<element>() for an element known at run time.
template <typename F>
void with_element(Element element, const F& f) {
  switch (element) {
    case Element::kFloat32: return f.template operator()<Element::kFloat32>();
    case Element::kFloat16: return f.template operator()<Element::kFloat16>();
    case Element::kBFloat16: return f.template operator()<Element::kBFloat16>();
  }
}

double silu(double x) { return x / (1 + std::exp(-x)); }
double exact_gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }

struct NormShape {
  int batch, pixels, channels, groups;
  bool silu;
  float mean;
};

std::vector<double> exact_group_norm(const NormShape& s, const ElementArray& x, const ElementArray& weight,
                                     const ElementArray& bias) {
  std::vector<double> out(x.size());
  const int width = s.channels / s.groups;
  const auto at = [&](int b, int pixel, int c) { return static_cast<size_t>((b * s.pixels + pixel) * s.channels + c); };
  for (int b = 0; b < s.batch; ++b)
    for (int group = 0; group < s.groups; ++group) {
      double mean = 0, variance = 0;
      const auto for_all = [&](const auto& f) {
        for (int pixel = 0; pixel < s.pixels; ++pixel)
          for (int c = group * width; c < (group + 1) * width; ++c) f(at(b, pixel, c), static_cast<size_t>(c));
      };
      for_all([&](size_t i, size_t) { mean += x[i] / s.pixels / width; });
      for_all([&](size_t i, size_t) { variance += std::pow(x[i] - mean, 2) / s.pixels / width; });
      for_all([&](size_t i, size_t c) {
        const double y = (x[i] - mean) / std::sqrt(variance + 1e-5) * weight[c] + bias[c];
        out[i] = s.silu ? silu(y) : y;
      });
    }
  return out;
}

void run_group_norm(EmulatedBlock& block, const GroupNormProblem& p) {
  with_element(p.element, [&]<Element kElement>() {
    const int vectors = p.channels / ElementTraits<kElement>::kVector;
    const int part = group_norm_part(p.pixels), parts = group_norm_parts(p.pixels);
    using Body = GroupNorm<kElement, EmulatedThread>;
    const EmulatedLaunch over_pixels{.grid_x = parts,
                                     .grid_y = p.batch,
                                     .grid_z = PixelShare::tiles(vectors),
                                     .threads = GroupNormTile::kThreads,
                                     .shared_bytes = Body::kSharedBytes};
    auto over_groups = over_pixels;
    over_groups.grid_x = p.groups;
    over_groups.grid_z = 1;
    block.run(over_pixels, [&](EmulatedThread& thread) { Body(thread, p, part, parts).sums(); });
    block.run(over_groups, [&](EmulatedThread& thread) { Body(thread, p, part, parts).factors(); });
    block.run(over_pixels, [&](EmulatedThread& thread) { Body(thread, p, part, parts).apply(); });
  });
}

TEST(GroupNormKernelTest, MatchesFloat64) {
  for (const auto element : kElements) {
    for (const NormShape& s : {NormShape{2, 100, 320, 32, true, 0},
                               {1, 1, 64, 32, false, 0},
                               {1, 700, 32, 8, true, 100},
                               {1, 9, 2560, 32, false, 1},
                               {1, 65, 960, 32, true, 0}}) {
      const auto x = ElementArray::normal(element, static_cast<size_t>(s.batch * s.pixels * s.channels), 1, s.mean);
      const auto weight = ElementArray::normal(element, static_cast<size_t>(s.channels), 2);
      const auto bias = ElementArray::normal(element, static_cast<size_t>(s.channels), 3);
      ElementArray out(element, x.size());
      GroupNormProblem p{x.data(), out.data(), weight.data(), bias.data(), nullptr, element,
                         s.batch,  s.pixels,   s.channels,    s.groups,    1e-5F,   s.silu};
      std::vector<float> workspace(group_norm_workspace(p) / sizeof(float), NAN);
      p.workspace = workspace.data();
      EmulatedBlock block;
      for (const auto* array : {&x, &weight, &bias}) array->allow(block);
      out.allow_writing(block);
      block.may_write(workspace);
      run_group_norm(block, p);
      const auto expected = exact_group_norm(s, x, weight, bias);
      EXPECT_LE(out.largest_error(expected), tolerance(element, expected, s.mean))
          << s.channels << " channels, " << s.pixels << " pixels";
    }
  }
}

struct RowsShape {
  int rows, features;
  bool residual;
};

TEST(LayerNormKernelTest, MatchesFloat64AndGivesTheSum) {
  for (const auto element : kElements) {
    for (const RowsShape& s :
         {RowsShape{5, 320, true}, {3, 1280, true}, {9, 2048, false}, {1, 8, true}, {4, 264, false}}) {
      const auto features = static_cast<size_t>(s.features), count = static_cast<size_t>(s.rows) * features;
      const auto x = ElementArray::normal(element, count, 1, 3), residual = ElementArray::normal(element, count, 2);
      const auto weight = ElementArray::normal(element, features, 3), bias = ElementArray::normal(element, features, 4);
      ElementArray sum(element, count), out(element, count);
      const LayerNormProblem p{.x = x.data(),
                               .residual = s.residual ? residual.data() : nullptr,
                               .sum = s.residual ? sum.data() : nullptr,
                               .out = out.data(),
                               .weight = weight.data(),
                               .bias = bias.data(),
                               .element = element,
                               .rows = s.rows,
                               .features = s.features};
      EmulatedBlock block;
      for (const auto* array : {&x, &residual, &weight, &bias}) array->allow(block);
      sum.allow_writing(block);
      out.allow_writing(block);
      with_element(element, [&]<Element kElement>() {
        const int warps = LayerNormTile<kElement>::kWarps;
        block.run({.grid_x = (s.rows + warps - 1) / warps, .threads = 32 * warps},
                  [&](EmulatedThread& thread) { layer_norm_row<kElement>(thread, p); });
      });
      std::vector<double> expected(count), sums(count);
      for (size_t row = 0; row < count; row += features) {
        double mean = 0, variance = 0;
        for (size_t i = row; i < row + features; ++i) {
          sums[i] = s.residual ? ElementArray::rounded(element, x[i] + residual[i]) : x[i];
          mean += sums[i] / s.features;
        }
        for (size_t i = row; i < row + features; ++i) variance += std::pow(sums[i] - mean, 2) / s.features;
        for (size_t i = row; i < row + features; ++i)
          expected[i] = (sums[i] - mean) / std::sqrt(variance + 1e-5) * weight[i - row] + bias[i - row];
      }
      EXPECT_LE(out.largest_error(expected), tolerance(element, expected, 3)) << s.features;
      EXPECT_EQ(s.residual ? sum.largest_error(sums) : 0, 0) << s.features;
    }
  }
}

TEST(GatedGeluKernelTest, MatchesFloat64) {
  for (const auto element : kElements) {
    for (const auto& [rows, features] : {std::pair{3, 1280}, {1, 8}, {130, 16}}) {
      const auto x = ElementArray::normal(element, static_cast<size_t>(rows * 2 * features), 1);
      ElementArray out(element, static_cast<size_t>(rows * features));
      const GatedGeluProblem p{x.data(), out.data(), element, rows, features};
      EmulatedBlock block;
      x.allow(block);
      out.allow_writing(block);
      with_element(element, [&]<Element kElement>() {
        block.run({.grid_x = 2, .threads = kElementwiseThreads},
                  [&](EmulatedThread& thread) { gated_gelu_elements<kElement>(thread, p); });
      });
      std::vector<double> expected(out.size());
      for (size_t i = 0; i < expected.size(); ++i) {
        const size_t row = i / static_cast<size_t>(features), at = row * static_cast<size_t>(features) + i;
        expected[i] = x[at] * exact_gelu(x[at + static_cast<size_t>(features)]);
      }
      EXPECT_LE(out.largest_error(expected), tolerance(element, expected)) << features;
    }
  }
}

TEST(SoftmaxKernelTest, MatchesFloat64) {
  for (const auto element : kElements) {
    for (const auto& [rows, keys] : {std::pair{2, 1000}, {3, 1}, {1, 255}, {1, 4097}}) {
      const auto count = static_cast<size_t>(rows * keys);
      const auto scores = ElementArray::normal(Element::kFloat32, count, 1, 20, 30);
      ElementArray out(element, count);
      const SoftmaxProblem p{static_cast<const float*>(scores.data()), out.data(), element, rows, keys, 0.25F};
      EmulatedBlock block;
      scores.allow(block);
      out.allow_writing(block);
      with_element(element, [&]<Element kElement>() {
        block.run({.grid_x = rows, .threads = kElementwiseThreads, .shared_bytes = 128},
                  [&](EmulatedThread& thread) { softmax_row<kElement>(thread, p); });
      });
      std::vector<double> expected(count);
      for (size_t row = 0; row < count; row += static_cast<size_t>(keys)) {
        double sum = 0;
        for (size_t i = row; i < row + static_cast<size_t>(keys); ++i) sum += expected[i] = std::exp(0.25 * scores[i]);
        for (size_t i = row; i < row + static_cast<size_t>(keys); ++i) expected[i] /= sum;
      }
      // Exponents up to 60 in base 2 carry the rounding of a product of that size.
      EXPECT_LE(out.largest_error(expected), tolerance(element, expected, 30)) << keys;
    }
  }
}

class CombineKernelTest : public ::testing::Test {
 protected:
  // The combination of three terms with the coefficients of step 1; gives what `failed` became.
  static int combine(Element element, const std::vector<const ElementArray*>& terms, ElementArray& out) {
    const std::vector<float> coefficients = {9, 9, 9, 9, 9, 9, 9, 9, 0.5F, -2, 1.25F, NAN, NAN, NAN, NAN, NAN};
    std::vector<int> step = {1}, failed = {0};
    CombineProblem p{.term_count = 3,
                     .coefficients = coefficients.data(),
                     .step = step.data(),
                     .out = out.data(),
                     .failed = failed.data(),
                     .element = element,
                     .count = static_cast<Index>(out.size())};
    EmulatedBlock block;
    for (size_t i = 0; i < terms.size(); ++i) {
      p.terms[i] = terms[i]->data();
      terms[i]->allow(block);
    }
    block.may_read(coefficients);
    block.may_read(step);
    block.may_write(failed);
    out.allow_writing(block);
    with_element(element, [&]<Element kElement>() {
      block.run({.grid_x = 2, .threads = kElementwiseThreads},
                [&](EmulatedThread& thread) { combine_elements<kElement>(thread, p); });
    });
    return failed[0];
  }
};

TEST_F(CombineKernelTest, SumsTermsWithTheCoefficientsOfTheStep) {
  for (const auto element : kElements) {
    for (const size_t count : {size_t{1}, size_t{60}, size_t{4096 + 3}}) {
      const auto a = ElementArray::normal(element, count, 1), b = ElementArray::normal(element, count, 2);
      const auto c = ElementArray::normal(element, count, 3);
      ElementArray out(element, count);
      EXPECT_EQ(combine(element, {&a, &b, &c}, out), 0);
      std::vector<double> expected(count);
      for (size_t i = 0; i < count; ++i) expected[i] = 0.5 * a[i] - 2 * b[i] + 1.25 * c[i];
      EXPECT_LE(out.largest_error(expected), tolerance(element, expected)) << count;
    }
  }
}

TEST_F(CombineKernelTest, SaysThatASumIsNotFinite) {
  for (const auto element : kElements) {
    for (const size_t bad : {size_t{0}, size_t{40}}) {  // in a vector, in what is left over
      auto a = ElementArray::normal(element, 41, 1);
      a.set(bad, NAN);
      const auto b = ElementArray::normal(element, 41, 2);
      ElementArray out(element, 41);
      EXPECT_EQ(combine(element, {&a, &b, &b}, out), 1);
    }
  }
}

}  // namespace
}  // namespace fjord::testing
