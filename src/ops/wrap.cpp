#include "ops/wrap.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>

namespace fjord::ops {
namespace {

thread_local Wrap active_wrap;

at::Tensor wrapped(const at::Tensor& x, std::int64_t dim, std::int64_t before, std::int64_t after) {
  const auto size = x.size(dim);
  return at::cat({x.narrow(dim, size - before, before), x, x.narrow(dim, 0, after)}, dim);
}

}  // namespace

WrapScope::WrapScope(const Wrap& wrap) : previous_(active_wrap) { active_wrap = wrap; }
WrapScope::~WrapScope() { active_wrap = previous_; }
const Wrap& WrapScope::active() { return active_wrap; }

at::Tensor padded(const at::Tensor& x, const Padding& padding) {
  const auto& wrap = WrapScope::active();
  const auto zeros = at::constant_pad_nd(x, {wrap.x ? 0 : padding.left, wrap.x ? 0 : padding.right,
                                             wrap.y ? 0 : padding.top, wrap.y ? 0 : padding.bottom});
  const auto across = wrap.x ? wrapped(zeros, 3, padding.left, padding.right) : zeros;
  return wrap.y ? wrapped(across, 2, padding.top, padding.bottom) : across;
}

}  // namespace fjord::ops
