// fjord inpaint: painting into a part of a picture, or beyond its borders.
#include "cli/commands.h"
#include "cli/control_options.h"
#include "cli/exit_codes.h"
#include "cli/task_options.h"
#include "cli/txt2img_options.h"

#include <memory>

namespace fjord::cli {
namespace {

constexpr char kFooter[] =
    "Any model can do it; one whose U-Net has 9 channels was trained for it. What the mask leaves out stays to the "
    "pixel.\n"
    "A large picture is best done with --region native: nothing is resized, and the result has the picture's size.\n\n"
    "Examples:\n"
    "  fjord inpaint --image room.png --mask hole.png --prompt \"a blue cup\" --grow 4 --blur 4 --out cup.png\n"
    "  fjord inpaint --image photo.png --mask hole.png --region native --prompt \"grass\" --out photo2.png\n"
    "  fjord inpaint --image photo.png --extend 64,0,64,0 --region native --prompt \"a beach\" --out wide.png";

void inpaint(RenderJob& job, Output& output) {
  const auto& extend = job.request.image_input.inpaint.extend;
  const bool extends = extend.left > 0 || extend.top > 0 || extend.right > 0 || extend.bottom > 0;
  if (job.files.images.empty()) throw UsageError("--image is required (see fjord inpaint --help)");
  if (job.files.mask.path.empty() && !extends) {
    throw UsageError("--mask or --extend is required (see fjord inpaint --help)");
  }
  render(job, output);
}

}  // namespace

void add_inpaint_command(CommandLine& line, Action& action) {
  const auto job = std::make_shared<RenderJob>();
  CommandOptions options =
      line.add_command("inpaint", "Paint into a part of a picture, or beyond its borders", kFooter,
                       [job, &action] { action = [job](Output& output) { inpaint(*job, output); }; });
  add_image_options(options, *job);
  add_inpaint_options(options, *job);
  add_inpaint_control_option(options, job->controls);
  add_txt2img_options(options, *job);
}

}  // namespace fjord::cli
