#include "models/common/picture_keys.h"

#include "models/common/run_memory.h"

#include <ATen/ops/upsample_bicubic2d.h>

namespace fjord::models {
namespace {

at::Tensor at_size(const at::Tensor& mask, at::IntArrayRef size, const at::Tensor& like) {
  if (!mask.defined()) return {};
  return at::upsample_bicubic2d(mask, size, /*align_corners=*/false).view({1, -1, 1}).to(like.options());
}

}  // namespace

std::vector<FurtherContext> contexts_of(const std::vector<PictureKeys>& pictures, std::int64_t rows,
                                        at::IntArrayRef size) {
  std::vector<FurtherContext> out;
  for (const auto& [context, scale, mask] : pictures) {
    out.push_back(
        {{last_rows(context.keys, rows), last_rows(context.values, rows)}, scale, at_size(mask, size, context.keys)});
  }
  return out;
}

}  // namespace fjord::models
