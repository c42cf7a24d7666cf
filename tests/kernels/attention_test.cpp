// The bodies of the attention kernels on emulated threads against float64.
#include "kernels/cuda/flash_attention_body.h"
#include "kernels/cuda/hopper_attention_body.h"
#include "kernels/cuda/text_attention_body.h"

#include "kernels/attention_case.h"
#include "kernels/emulator.h"

#include <gtest/gtest.h>

namespace fjord::testing {
namespace {

using kernels::cuda::AttentionProblem;
using kernels::cuda::FlashAttention;
using kernels::cuda::FlashTile;
using kernels::cuda::HopperAttention;
using kernels::cuda::HopperTile;
using kernels::cuda::TextAttention;
using kernels::cuda::TextTile;

// Probabilities and results are rounded to 8 (bfloat16) or 11 bits (float16): relative steps of 2^-8 and 2^-11, of
// which a rounding costs 0.29 on average, twice.
double tolerance(Element element) { return element == Element::kBFloat16 ? 3e-3 : 5e-4; }

template <Element kElement, int kHeadDim>
void run_flash(EmulatedBlock& block, const AttentionProblem& p, bool last_warp_first) {
  using Tile = FlashTile<kHeadDim>;
  block.run({.grid_x = (p.queries + Tile::kQueries - 1) / Tile::kQueries,
             .grid_y = p.batch * p.heads,
             .threads = Tile::kThreads,
             .shared_bytes = Tile::kSharedBytes,
             .last_warp_first = last_warp_first},
            [&](EmulatedThread& thread) { FlashAttention<kElement, kHeadDim, EmulatedThread>(thread, p).run(); });
}

template <Element kElement, int kHeadDim>
void run_text(EmulatedBlock& block, const AttentionProblem& p, bool last_warp_first) {
  using Tile = TextTile<kHeadDim>;
  block.run({.grid_x = 2,
             .grid_y = p.batch * p.heads,
             .threads = Tile::kThreads,
             .shared_bytes = Tile::shared_bytes(p.keys),
             .last_warp_first = last_warp_first},
            [&](EmulatedThread& thread) { TextAttention<kElement, kHeadDim, EmulatedThread>(thread, p).run(); });
}

struct EmulatedMaps {
  EmulatedMap q, k, v;
};

template <Element kElement, int kHeadDim>
void run_hopper(EmulatedBlock& block, const AttentionProblem& p, bool last_warp_first) {
  using Tile = HopperTile<kHeadDim>;
  const auto map = [&](const AttentionProblem::Tokens& tokens, int count, int rows) {
    return EmulatedMap{tokens, p.head_dim, p.heads, count, p.batch, rows};
  };
  const EmulatedMaps maps{map(p.q, p.queries, Tile::kQueries), map(p.k, p.keys, Tile::kKeys),
                          map(p.v, p.keys, Tile::kKeys)};
  block.run({.grid_x = (p.queries + Tile::kQueries - 1) / Tile::kQueries,
             .grid_y = p.batch * p.heads,
             .threads = Tile::kThreads,
             .shared_bytes = Tile::kSharedBytes,
             .last_warp_first = last_warp_first},
            [&](EmulatedThread& thread) {
              HopperAttention<kElement, kHeadDim, EmulatedThread, EmulatedMaps>(thread, p, maps).run();
            });
}

using Run = void (*)(EmulatedBlock&, const AttentionProblem&, bool);

struct Kernel {
  Element element;
  int head_dim;
  Run flash, text;
};

template <Element kElement, int kHeadDim>
constexpr Kernel kernel() {
  return {kElement, kHeadDim, run_flash<kElement, kHeadDim>, run_text<kElement, kHeadDim>};
}

constexpr auto kBFloat16 = Element::kBFloat16, kFloat16 = Element::kFloat16;
const std::vector<Kernel> kKernels = {kernel<kBFloat16, 40>(),  kernel<kBFloat16, 64>(),  kernel<kBFloat16, 80>(),
                                      kernel<kBFloat16, 128>(), kernel<kBFloat16, 160>(), kernel<kFloat16, 40>(),
                                      kernel<kFloat16, 64>(),   kernel<kFloat16, 80>(),   kernel<kFloat16, 128>(),
                                      kernel<kFloat16, 160>()};

template <Element kElement, int kHeadDim>
constexpr Kernel hopper() {
  return {kElement, kHeadDim, run_hopper<kElement, kHeadDim>, nullptr};
}
const std::vector<Kernel> kHopperKernels = {hopper<kBFloat16, 40>(), hopper<kBFloat16, 64>(), hopper<kFloat16, 80>(),
                                            hopper<kBFloat16, 160>()};

void expect_exact(const Kernel& kernel, Run run, const AttentionSizes& sizes, bool last_warp_first = false) {
  AttentionCase data(kernel.element, kernel.head_dim, sizes);
  EmulatedBlock block;
  block.may_read(data.q);
  block.may_read(data.k);
  block.may_read(data.v);
  block.may_write(data.out);
  run(block, data.problem(), last_warp_first);
  EXPECT_LE(data.error(), tolerance(kernel.element))
      << "head size " << kernel.head_dim << ", queries " << sizes.queries << ", keys " << sizes.keys;
}

TEST(FlashAttentionTest, IsExactForEveryHeadSizeAndRaggedSizes) {
  for (const auto& kernel : kKernels) expect_exact(kernel, kernel.flash, {1, 1, 130, 129});
  for (const auto& kernel : {kKernels[0], kKernels[2], kKernels[9]}) {
    for (const AttentionSizes& sizes : {AttentionSizes{2, 2, 3, 1}, {1, 1, 16, 63}, {1, 1, 15, 64}, {1, 1, 33, 97}})
      expect_exact(kernel, kernel.flash, sizes);
  }
}

TEST(FlashAttentionTest, KeepsItsDigitsOverManyKeysAndSharpScores) {
  expect_exact(kKernels[0], kKernels[0].flash, {.queries = 32, .keys = 2048});
  for (const auto& kernel : {kKernels[1], kKernels[9]})
    expect_exact(kernel, kernel.flash, {.queries = 32, .keys = 320, .spread = 4});
}

TEST(FlashAttentionTest, DoesNotDependOnTheOrderOfItsWarps) {
  for (const auto& kernel : {kKernels[0], kKernels[9]})
    expect_exact(kernel, kernel.flash, {.queries = 128, .keys = 200}, true);
}

TEST(HopperAttentionTest, IsExactForEveryHeadSizeAndRaggedSizes) {
  for (const auto& kernel : kHopperKernels) expect_exact(kernel, kernel.flash, {1, 1, 130, 300});
  for (const auto& kernel : {kHopperKernels[0], kHopperKernels[3]}) {
    for (const AttentionSizes& sizes : {AttentionSizes{2, 2, 3, 1}, {1, 1, 64, 63}, {1, 1, 15, 129}})
      expect_exact(kernel, kernel.flash, sizes);
  }
}

TEST(HopperAttentionTest, KeepsItsDigitsOverManyKeysAndSharpScores) {
  expect_exact(kHopperKernels[0], kHopperKernels[0].flash, {.queries = 16, .keys = 1500});
  expect_exact(kHopperKernels[2], kHopperKernels[2].flash, {.queries = 16, .keys = 300, .spread = 4});
}

TEST(HopperAttentionTest, DoesNotDependOnTheOrderOfItsWarps) {
  for (const auto& kernel : {kHopperKernels[0], kHopperKernels[3]})
    expect_exact(kernel, kernel.flash, {.queries = 128, .keys = 400}, true);
}

TEST(TextAttentionTest, IsExactForEveryHeadSizeAndTextLength) {
  for (const auto& kernel : kKernels) expect_exact(kernel, kernel.text, {1, 1, 140, 77});
  for (const auto& kernel : {kKernels[0], kKernels[2], kKernels[9]}) {
    for (const AttentionSizes& sizes : {AttentionSizes{2, 2, 17, 1}, {1, 1, 1, 80}, {1, 1, 130, 154}, {1, 1, 33, 231}})
      expect_exact(kernel, kernel.text, sizes);
  }
}

TEST(TextAttentionTest, DoesNotDependOnTheOrderOfItsWarps) {
  for (const auto& kernel : {kKernels[0], kKernels[9]})
    expect_exact(kernel, kernel.text, {.queries = 300, .keys = 77}, true);
}

}  // namespace
}  // namespace fjord::testing
