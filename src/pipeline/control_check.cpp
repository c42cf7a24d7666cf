// What a request may ask of its control networks.
#include "core/check.h"
#include "pipeline/control_run.h"
#include "pipeline/control_set.h"
#include "pipeline/passes.h"

namespace fjord::pipeline {
namespace {

constexpr size_t kMaxControls = 8;
constexpr double kMaxScale = 100;
constexpr int kMaxSide = 8192;

void check_image(const Image& image) {
  const auto wanted = static_cast<size_t>(image.width) * static_cast<size_t>(image.height) * 3;
  check(image.width >= 1 && image.height >= 1 && image.width <= kMaxSide && image.height <= kMaxSide,
        ErrorCode::kInvalidArgument, "a control picture must have 1 to ", kMaxSide, " pixels a side, got ", image.width,
        "x", image.height);
  check(image.pixels.size() == wanted, ErrorCode::kInvalidArgument, "a control picture of ", image.width, "x",
        image.height, " pixels must have ", wanted, " bytes, got ", image.pixels.size());
}

void check_lies_over(const Image& image, const Request& request) {
  const auto& picture = request.image_input.images.front();
  const auto& margins = request.image_input.inpaint.extend;
  const int width = picture.width + margins.left + margins.right;
  const int height = picture.height + margins.top + margins.bottom;
  check(image.width == width && image.height == height, ErrorCode::kInvalidArgument,
        "where only a region is worked on, a control picture must have the size of the picture with its margins, ",
        width, "x", height, ", got ", image.width, "x", image.height);
}

void check_picture(const ControlUse& use, const Request& request) {
  const bool inpainting = is_inpainting(request.image_input);
  check(!use.hide_painted || inpainting, ErrorCode::kInvalidArgument,
        "hide_painted needs a mask or margins in image_input: there is nothing to hide");
  check(!use.hide_painted || ControlAccess::get(use.control)->net, ErrorCode::kInvalidArgument,
        "hide_painted is for ControlNets, ", quoted(use.control.info().path, 300), " is a T2I-Adapter");
  const bool empty = use.image.pixels.empty() && use.image.width == 0 && use.image.height == 0;
  check(!empty || use.hide_painted, ErrorCode::kInvalidArgument, "the control network ",
        quoted(use.control.info().path, 300), " needs a picture");
  if (empty) return;
  check_image(use.image);
  if (inpainting && request.image_input.inpaint.region != PaintRegion::kWhole) check_lies_over(use.image, request);
}

void check_numbers(const ControlUse& use) {
  check(use.scale >= 0 && use.scale <= kMaxScale, ErrorCode::kInvalidArgument,
        "the scale of a control network must be from 0 to ", kMaxScale, ", got ", use.scale);
  check(use.begin >= 0 && use.end <= 1 && use.begin <= use.end, ErrorCode::kInvalidArgument,
        "a control network must be heard from 0 to 1 of the steps and not backwards, got ", use.begin, " to ", use.end);
}

// T2I-Adapters see the picture in squares.
void check_squares(const ControlUse& use, const RunSize& size) {
  const auto& adapter = ControlAccess::get(use.control)->adapter;
  if (!adapter) return;
  const auto side = adapter->config().downscale_factor;
  check(size.width % side == 0 && size.height % side == 0, ErrorCode::kInvalidArgument, "the T2I-Adapter ",
        quoted(use.control.info().path, 300), " needs a width and height that ", side, " divides, got ", size.width,
        "x", size.height);
}

}  // namespace

void check_controls(const Model& model, const Request& request) {
  check(request.controls.size() <= kMaxControls, ErrorCode::kInvalidArgument, "a request takes at most ", kMaxControls,
        " control networks, got ", request.controls.size());
  for (const auto& use : request.controls) {
    const auto* impl = ControlAccess::get(use.control);
    check(impl != nullptr, ErrorCode::kInvalidArgument, "a control network of the request is empty; load it first");
    check(impl->home.lock() == model.adapters, ErrorCode::kInvalidArgument, "the control network ",
          quoted(impl->info.path, 300), " was loaded for another pipeline");
    check_numbers(use);
    check_picture(use, request);
    check_squares(use, {request.width, request.height});
    if (request.hires.scale > 1) check_squares(use, second_pass_size(request, model.info.size_multiple));
  }
}

}  // namespace fjord::pipeline
