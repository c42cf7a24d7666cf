#include "pipeline/control_pictures.h"

#include "image/luma.h"
#include "pipeline/masked_blend.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

namespace fjord::pipeline {
namespace {

at::Tensor shares_of(const std::vector<std::uint8_t>& bytes, std::int64_t height, std::int64_t width) {
  const auto channels = static_cast<std::int64_t>(bytes.size()) / (height * width);
  auto out = at::empty({1, height, width, channels}, at::kByte);
  std::copy(bytes.begin(), bytes.end(), out.mutable_data_ptr<std::uint8_t>());
  return out.permute({0, 3, 1, 2}).to(at::kFloat) / 255;
}

// Gray is made before resizing, as the reference has it.
at::Tensor brought_to_size(const ControlUse& use, std::int64_t channels, const Canvas& canvas, const RunSize& size) {
  if (channels == 1) {
    const auto gray = canvas.brought_along(brightness(use.image), size);
    return shares_of(gray.values, gray.height, gray.width);
  }
  const auto picture = canvas.brought_along(use.image, size);
  return shares_of(picture.pixels, picture.height, picture.width);
}

at::Tensor own_pictures(std::int64_t channels, const Canvas& canvas) {
  std::vector<at::Tensor> rows;
  for (const auto& picture : canvas.pictures()) {
    const auto bytes = channels == 1 ? brightness(picture).values : picture.pixels;
    rows.push_back(shares_of(bytes, picture.height, picture.width));
  }
  return at::cat(rows);
}

}  // namespace

at::Tensor control_picture(const ControlUse& use, std::int64_t channels, const Canvas& canvas, const RunSize& size) {
  const auto pictures =
      use.image.pixels.empty() ? own_pictures(channels, canvas) : brought_to_size(use, channels, canvas, size);
  if (!use.hide_painted) return pictures.contiguous();
  const auto hidden = hard_latent_mask(canvas.mask(), 1).to(at::kBool);
  return pictures.masked_fill(hidden, -1.0).contiguous();
}

}  // namespace fjord::pipeline
