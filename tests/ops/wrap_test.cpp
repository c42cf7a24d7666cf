// Maps whose borders belong together: padding, and convolutions by every kernel, against ATen's circular padding.
#include "ops/wrap.h"

#include "ops/every_kernel.h"
#include "ops/few_bits.h"
#include "ops/winograd.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/pad.h>
#include <ATen/ops/upsample_nearest2d.h>

namespace fjord {
namespace {

constexpr ops::Wrap kWraps[] = {{}, {.x = true}, {.y = true}, {.x = true, .y = true}};

at::Tensor by_aten(const at::Tensor& x, const ops::Padding& padding, const ops::Wrap& wrap) {
  const auto across = at::pad(x, {padding.left, padding.right, 0, 0}, wrap.x ? "circular" : "constant");
  return at::pad(across, {0, 0, padding.top, padding.bottom}, wrap.y ? "circular" : "constant");
}

TEST(WrapTest, PaddingIsThatOfAten) {
  const auto x = testing::normal(1, {2, 3, 4, 5});
  for (const auto& wrap : kWraps) {
    for (const auto& padding : {ops::Padding{1, 1, 1, 1}, ops::Padding{0, 1, 0, 1}, ops::Padding{2, 3, 4, 0}}) {
      const ops::WrapScope scope(wrap);
      EXPECT_TRUE(ops::padded(x, padding).equal(by_aten(x, padding, wrap)));
    }
  }
}

TEST(WrapTest, ScopesEndWhereTheyEnd) {
  {
    const ops::WrapScope outer({.x = true});
    const ops::WrapScope inner({.y = true});
    EXPECT_TRUE(ops::WrapScope::active() == (ops::Wrap{.x = false, .y = true}));
  }
  EXPECT_FALSE(ops::WrapScope::active().any());
}

using WrappedWinograd = testing::EveryKernel;

TEST_P(WrappedWinograd, SeesTheOtherBorder) {
  const auto weight = random(2, {70, 20, 3, 3}), bias = testing::normal(3, {70});
  const auto packed = ops::pack_winograd(testing::plain_weight(weight), dtype(), kernels());
  for (const auto& wrap : kWraps) {
    for (const auto& [height, width] : {std::pair{1, 1}, {4, 8}, {5, 7}, {16, 30}}) {
      for (const std::int64_t scale : {1, 2}) {
        SCOPED_TRACE(::testing::Message() << height << "x" << width << " " << wrap.x << wrap.y << " " << scale);
        const auto x = random_map(1, {2, 20, height, width});
        const ops::ImageSize size{height * scale, width * scale};
        const ops::WrapScope scope(wrap);
        const auto out = ops::winograd(x, packed, bias, {.enlarge_to = size}, kernels());
        const auto source = by_aten(at::upsample_nearest2d(x.to(at::kDouble), size), {1, 1, 1, 1}, wrap);
        expect_close(out, at::conv2d(source, weight.to(at::kDouble), bias.to(at::kDouble)), 5e-6, 4e-3);
      }
    }
  }
}

FJORD_FOR_EVERY_KERNEL(WrappedWinograd);

}  // namespace
}  // namespace fjord
