#include "cli/task_options.h"

#include "cli/exit_codes.h"
#include "cli/option_readers.h"
#include "cli/output.h"

#include <cmath>

namespace fjord::cli {
namespace {

ReadOption axes_into(Seamless& seamless) {
  return [&seamless](const std::string& option, const std::string& text) {
    if (text != "x" && text != "y" && text != "xy") {
      throw UsageError(option + ": expected x, y or xy, got " + in_quotes(text));
    }
    seamless = {text != "y", text != "x"};
  };
}

ReadOption margins_into(Inpaint& inpaint) {
  return [&inpaint](const std::string& option, const std::string& text) {
    const auto sides = parse_reals(option, text);
    for (const double side : sides) {
      if (!(std::abs(side) < 1e6) || side != std::floor(side))
        throw UsageError(option + ": expected whole numbers, got " + in_quotes(text));
    }
    if (sides.size() != 4) throw UsageError(option + ": expected LEFT,TOP,RIGHT,BOTTOM, got " + in_quotes(text));
    const auto pixels = [&](size_t i) { return static_cast<int>(sides[i]); };
    inpaint.extend = {pixels(0), pixels(1), pixels(2), pixels(3)};
  };
}

}  // namespace

void add_pass_options(CommandOptions& options, Request& request) {
  options.parsed("--variation-seed", "S", "A seed to go towards, with --variation-strength (image i: S + i)",
                 [&request](const std::string& option, const std::string& text) {
                   request.variation.seed = parse_seed(option, text);
                 });
  options.parsed("--variation-strength", "V", "0 to 1: how far the noise goes from --seed to it (default: 0)",
                 real_into(request.variation.strength));
  auto& hires = request.hires;
  options.parsed("--hires", "SCALE",
                 "Enlarge the picture by this and go over it a second time, up to 8 (default: 1, off)",
                 real_into(hires.scale));
  options.parsed("--hires-upscaler", "NAME", "latent, or pixels (decoded, Lanczos) (default: latent)",
                 choice_into(hires.upscaler, kUpscalerNames));
  options.parsed("--hires-strength", "V", "How much the second pass changes, up to 1 (default: 0.6)",
                 real_into(hires.strength));
  options.parsed("--hires-steps", "N", "Steps of the second pass, of which its strength is run (default: as --steps)",
                 integer_into(hires.steps));
  options.parsed("--seamless", "AXES", "x, y or xy: a texture that goes on where it ends", axes_into(request.seamless));
}

void add_image_options(CommandOptions& options, RenderJob& job) {
  auto& input = job.request.image_input;
  options.repeated("--image", "FILE.png", "The picture to start from; may be repeated for a batch",
                   [&job](const std::string&, const std::string& text) {
                     job.files.images.push_back({text, ""});
                   });
  options.parsed("--strength", "V",
                 "How much is changed, above 0, to 1: so much of the steps is run (default: 0.8; 1 for inpaint)",
                 real_into(input.strength));
  options.parsed("--fit", "HOW",
                 "How a picture of another shape is brought to --width x --height: stretch, crop or fill "
                 "(default: stretch)",
                 choice_into(input.fit, kFitNames));
}

void add_inpaint_options(CommandOptions& options, RenderJob& job) {
  auto& inpaint = job.request.image_input.inpaint;
  options.text("--mask", "FILE.png", "Picture of the same size: white is painted anew, black stays",
               job.files.mask.path);
  options.parsed(
      "--mask-from", "WHAT", "luma (white is painted) or erased (transparent is painted) (default: luma)",
      [&job](const std::string&, const std::string& text) { job.files.mask_source = parse_mask_source(text); });
  options.parsed("--extend", "L,T,R,B", "Outpainting: pixels to add on the left, top, right and bottom",
                 margins_into(inpaint));
  options.parsed("--grow", "N", "Pixels by which the painted part is widened (default: 0)",
                 integer_into(inpaint.grow, 0));
  options.parsed("--blur", "PIXELS", "Softens the mask's border after that (default: 0)", real_into(inpaint.blur));
  options.parsed(
      "--region", "WHICH",
      "What the network sees: whole (the picture at --width x --height), fitted (around the mask, resized to "
      "that and back) or native (around the mask, pixel for pixel) (default: whole)",
      choice_into(inpaint.region, kPaintRegionNames));
  options.parsed("--padding", "N", "Pixels around the mask for fitted and native (default: 32)",
                 integer_into(inpaint.padding, 0));
  options.flag("--soft", "Gray in the mask means: change less", inpaint.soft);
  options.flag("--match-colors", "Bring the painted part's colours to those around it", inpaint.match_colors);
  options.parsed("--outside", "WHAT", "keep (the original to the pixel) or repaint (default: keep)",
                 [&inpaint](const std::string& option, const std::string& text) {
                   if (text != "keep" && text != "repaint") {
                     throw UsageError(option + ": expected keep or repaint, got " + in_quotes(text));
                   }
                   inpaint.keep_outside = text == "keep";
                 });
}

}  // namespace fjord::cli
