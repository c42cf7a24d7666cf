#include "pipeline/image_input_check.h"

#include "core/check.h"
#include "pipeline/canvas.h"
#include "pipeline/passes.h"

namespace fjord::pipeline {
namespace {

constexpr int kMaxSide = 8192;
constexpr int kMaxGrow = 256;
constexpr double kMaxScale = 8;

void check_pixels(const char* what, int width, int height, size_t got, int channels) {
  const auto wanted = static_cast<size_t>(width) * static_cast<size_t>(height) * static_cast<size_t>(channels);
  check(width >= 1 && height >= 1 && width <= kMaxSide && height <= kMaxSide, ErrorCode::kInvalidArgument, what,
        " must have 1 to ", kMaxSide, " pixels a side, got ", width, "x", height);
  check(got == wanted, ErrorCode::kInvalidArgument, what, " of ", width, "x", height, " pixels must have ", wanted,
        " bytes, got ", got);
}

void check_side(const char* what, int width, int height) {
  check(width <= kMaxSide && height <= kMaxSide, ErrorCode::kInvalidArgument, what, " must have at most ", kMaxSide,
        " pixels a side, got ", width, "x", height);
}

void check_whole(const char* what, int value, int largest) {
  check(value >= 0 && value <= largest, ErrorCode::kInvalidArgument, what, " must be from 0 to ", largest, ", got ",
        value);
}

void check_strength(const char* what, double value) {
  check(value > 0 && value <= 1, ErrorCode::kInvalidArgument, what, " must be above 0 and at most 1, got ", value);
}

void check_inpaint(const ImageInput& input) {
  const auto& inpaint = input.inpaint;
  if (!inpaint.mask.values.empty() || inpaint.mask.width != 0 || inpaint.mask.height != 0) {
    check_pixels("the mask", inpaint.mask.width, inpaint.mask.height, inpaint.mask.values.size(), 1);
  }
  const auto& margins = inpaint.extend;
  for (const int margin : {margins.left, margins.top, margins.right, margins.bottom}) {
    check_whole("a margin of inpaint.extend", margin, kMaxSide);
  }
  check_whole("inpaint.grow", inpaint.grow, kMaxGrow);
  check_whole("inpaint.padding", inpaint.padding, kMaxSide);
  check(inpaint.blur >= 0 && inpaint.blur <= kMaxGrow, ErrorCode::kInvalidArgument, "inpaint.blur must be from 0 to ",
        kMaxGrow, ", got ", inpaint.blur);
  if (!is_inpainting(input)) return;
  check(!input.images.empty(), ErrorCode::kInvalidArgument,
        "a mask or margins need a picture in image_input.images, got none");
  check_side("the picture with its margins", input.images.front().width + margins.left + margins.right,
             input.images.front().height + margins.top + margins.bottom);
}

void check_count(Request& request) {
  const auto pictures = static_cast<int>(request.image_input.images.size());
  if (pictures == 0) return;
  if (request.images == 1) request.images = pictures;
  check(request.images % pictures == 0, ErrorCode::kInvalidArgument, "images must be a multiple of the ", pictures,
        " pictures to start from, got ", request.images);
}

// Of a model that sees the picture which the prompt tells to change.
void check_changed(const Request& request) {
  const auto& input = request.image_input;
  check(!input.images.empty(), ErrorCode::kInvalidArgument,
        "this model changes pictures as the prompt says: it needs one in image_input.images, got none");
  check(!is_inpainting(input), ErrorCode::kInvalidArgument,
        "this model changes whole pictures: it takes no mask and no margins");
  check(!input.strength || *input.strength == 1, ErrorCode::kInvalidArgument,
        "this model starts from noise and sees the picture: strength must be 1 or unset, got ",
        input.strength.value_or(1));
  check(request.controls.empty(), ErrorCode::kInvalidArgument,
        "this model sees the picture which it changes: control networks are for others");
}

double default_strength(const ImageInput& input, const PipelineInfo& info) {
  return info.needs_image || is_inpainting(input) ? 1.0 : 0.8;
}

}  // namespace

void check_image_input(Request& request, const PipelineInfo& info) {
  auto& input = request.image_input;
  for (const auto& image : input.images) {
    check_pixels("a picture to start from", image.width, image.height, image.pixels.size(), 3);
  }
  check_inpaint(input);
  check_count(request);
  check(!info.needs_mask || is_inpainting(input), ErrorCode::kInvalidArgument,
        "this model paints into pictures: it needs a picture with a mask or margins in image_input");
  if (info.needs_image) check_changed(request);
  if (input.images.empty()) return;
  if (!input.strength) input.strength = default_strength(input, info);
  check_strength("strength", *input.strength);
  const auto size =
      Canvas(input).run_size({request.width, request.height}, {info.width, info.height}, info.size_multiple);
  request.width = size.width;
  request.height = size.height;
}

void check_passes(const Request& request, const PipelineInfo& info) {
  const auto& variation = request.variation;
  check(variation.strength >= 0 && variation.strength <= 1, ErrorCode::kInvalidArgument,
        "variation.strength must be from 0 to 1, got ", variation.strength);
  const auto& hires = request.hires;
  check(hires.scale >= 1 && hires.scale <= kMaxScale, ErrorCode::kInvalidArgument, "hires.scale must be from 1 to ",
        kMaxScale, ", got ", hires.scale);
  if (hires.scale == 1) return;
  check_strength("hires.strength", hires.strength);
  check(hires.steps >= 0 && hires.steps <= info.max_steps, ErrorCode::kInvalidArgument,
        "hires.steps must be from 0 to ", info.max_steps, ", got ", hires.steps);
  check(!is_inpainting(request.image_input), ErrorCode::kInvalidArgument,
        "a second pass (hires) cannot follow inpainting; enlarge the picture first");
  check(!info.needs_image, ErrorCode::kInvalidArgument,
        "a second pass (hires) is not for models that change pictures; enlarge the picture first");
  const auto large = second_pass_size(request, info.size_multiple);
  check(large.width <= info.max_size && large.height <= info.max_size, ErrorCode::kInvalidArgument,
        "the second pass must have at most ", info.max_size, " pixels a side, got ", large.width, "x", large.height);
}

}  // namespace fjord::pipeline
