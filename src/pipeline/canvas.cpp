#include "pipeline/canvas.h"

#include "core/check.h"
#include "image/mask_filters.h"
#include "image/resample.h"
#include "image/seams.h"

#include <algorithm>

namespace fjord::pipeline {
namespace {

constexpr std::uint8_t kPainted = 255;

bool has_margins(const Margins& margins) {
  return margins.left > 0 || margins.top > 0 || margins.right > 0 || margins.bottom > 0;
}

Region with_margins(int width, int height, const Margins& margins) {
  return {-margins.left, -margins.top, width + margins.left + margins.right, height + margins.top + margins.bottom};
}

// The mask of a grown picture: the margins, and where there is a mask within the picture, that.
Mask grown_mask(const Mask& mask, int width, int height, const Margins& margins) {
  const auto area = with_margins(width, height, margins);
  Mask out{area.width, area.height, {}};
  out.values.assign(static_cast<size_t>(area.width) * static_cast<size_t>(area.height), kPainted);
  for (int y = 0; y < height; ++y) {
    const auto row = out.values.begin() + (y + margins.top) * static_cast<std::ptrdiff_t>(area.width) + margins.left;
    if (mask.values.empty()) {
      std::fill_n(row, width, std::uint8_t{0});
    } else {
      std::copy_n(mask.values.begin() + y * static_cast<std::ptrdiff_t>(width), width, row);
    }
  }
  return out;
}

void check_one_size(const std::vector<Image>& pictures, const Mask& mask) {
  const auto& first = pictures.front();
  for (const auto& picture : pictures) {
    check(picture.width == first.width && picture.height == first.height, ErrorCode::kInvalidArgument,
          "inpainting needs pictures of one size, got ", first.width, "x", first.height, " and ", picture.width, "x",
          picture.height);
  }
  check(mask.values.empty() || (mask.width == first.width && mask.height == first.height), ErrorCode::kInvalidArgument,
        "the mask must have the picture's size, ", first.width, "x", first.height, ", got ", mask.width, "x",
        mask.height);
}

// With what share the result is laid over the original. Strengths of a soft mask are no shares: all but the weakest
// count whole.
Mask overlay(Mask mask, bool soft) {
  constexpr int kGain = 8;
  if (!soft) return mask;
  for (auto& value : mask.values) value = static_cast<std::uint8_t>(std::min(kGain * value, 255));
  return mask;
}

// Puts a part back where it was cut from; what lies outside of the picture is left away.
Image put_back(Image whole, const Image& part, const Region& region) {
  for (int y = std::max(0, -region.top); y < std::min(part.height, whole.height - region.top); ++y) {
    const int begin = std::max(0, -region.left), end = std::min(part.width, whole.width - region.left);
    const auto from = part.pixels.begin() + (static_cast<std::ptrdiff_t>(y) * part.width + begin) * 3;
    const auto to = static_cast<std::ptrdiff_t>(y + region.top) * whole.width + begin + region.left;
    std::copy_n(from, (end - begin) * 3, whole.pixels.begin() + to * 3);
  }
  return whole;
}

}  // namespace

bool is_inpainting(const ImageInput& input) {
  return !input.inpaint.mask.values.empty() || has_margins(input.inpaint.extend);
}

Canvas::Canvas(const ImageInput& input) : fit_(input.fit), inpaint_(input.inpaint), pictures_(input.images) {
  inpaint_.mask = {};
  if (!is_inpainting(input)) return;
  check_one_size(pictures_, input.inpaint.mask);
  const auto& margins = input.inpaint.extend;
  const int width = pictures_.front().width, height = pictures_.front().height;
  mask_ = grown_mask(input.inpaint.mask, width, height, margins);
  mask_ = blurred(grown(mask_, inpaint_.grow), inpaint_.blur);
  check(painted_region(mask_).width > 0, ErrorCode::kInvalidArgument, "the mask is 0 everywhere: nothing is painted");
  for (auto& picture : pictures_) picture = cut(picture, with_margins(width, height, margins));
}

RunSize Canvas::run_size(const RunSize& wished, const RunSize& model, int multiple) const {
  const auto or_else = [](int wish, int other) { return wish > 0 ? wish : other; };
  if (inpainting() && inpaint_.region == PaintRegion::kNative) {
    const auto area = native_region(mask_, or_else(wished.width, model.width), or_else(wished.height, model.height),
                                    inpaint_.padding, multiple);
    return {area.width, area.height};
  }
  if (pictures_.empty() || (inpainting() && inpaint_.region == PaintRegion::kFitted)) {
    return {or_else(wished.width, model.width), or_else(wished.height, model.height)};
  }
  const auto own = [multiple](int side) { return std::max(multiple, side / multiple * multiple); };
  return {or_else(wished.width, own(pictures_.front().width)), or_else(wished.height, own(pictures_.front().height))};
}

Region Canvas::region(const RunSize& size) const {
  switch (inpaint_.region) {
    case PaintRegion::kFitted: return fitted_region(mask_, size.width, size.height, inpaint_.padding);
    // The run's size is the region's, so nothing is added to it here.
    case PaintRegion::kNative: return native_region(mask_, size.width, size.height, inpaint_.padding, 1);
    case PaintRegion::kWhole: break;
  }
  return {0, 0, mask_.width, mask_.height};
}

template <typename Picture>
Picture Canvas::brought_to(const Picture& picture, const RunSize& size) const {
  const bool whole = !inpainting() || inpaint_.region == PaintRegion::kWhole;
  if (!whole && inpaint_.region == PaintRegion::kNative) return cut(picture, region_);
  if (!whole) return resized_to_fill(cut(picture, region_), size.width, size.height);
  switch (fit_) {
    case Fit::kCrop: return resized_to_crop(picture, size.width, size.height);
    case Fit::kFill: return resized_to_fill(picture, size.width, size.height);
    case Fit::kStretch: break;
  }
  return resize(picture, size.width, size.height);
}

Image Canvas::brought_along(const Image& picture, const RunSize& size) const { return brought_to(picture, size); }
Mask Canvas::brought_along(const Mask& picture, const RunSize& size) const { return brought_to(picture, size); }

void Canvas::prepare(const RunSize& size) {
  if (inpainting()) {
    region_ = region(size);
    run_mask_ = brought_to(mask_, size);
  }
  for (const auto& picture : pictures_) run_pictures_.push_back(brought_to(picture, size));
}

Image Canvas::finished(const Image& made, size_t index) const {
  if (!inpainting()) return made;
  const auto& source = run_pictures_[index];
  const auto painted = inpaint_.match_colors ? colors_matched(made, source, run_mask_) : made;
  if (inpaint_.region == PaintRegion::kWhole) {
    return inpaint_.keep_outside ? laid_over(painted, source, overlay(run_mask_, inpaint_.soft)) : painted;
  }
  const auto& original = pictures_[index];
  const auto part =
      inpaint_.region == PaintRegion::kFitted ? resized_to_crop(painted, region_.width, region_.height) : painted;
  auto whole = put_back(original, part, region_);
  return inpaint_.keep_outside ? laid_over(whole, original, overlay(mask_, inpaint_.soft)) : whole;
}

}  // namespace fjord::pipeline
