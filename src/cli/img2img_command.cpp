// fjord img2img: a picture from a picture and a prompt.
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/task_options.h"
#include "cli/txt2img_options.h"

#include <memory>

namespace fjord::cli {
namespace {

constexpr char kFooter[] =
    "Without --width and --height the picture keeps its size, rounded down to a multiple of 8. The record in the new\n"
    "picture names the files that it was made from; `fjord replay` needs them.\n\n"
    "Examples:\n"
    "  fjord img2img --image sketch.png --prompt \"a gold crown on red cloth\" --strength 0.6 --out crown.png\n"
    "  fjord img2img --image a.png --image b.png --prompt \"a blue cup\" --out cup.png";

void img2img(RenderJob& job, Output& output) {
  if (job.files.images.empty()) throw UsageError("--image is required (see fjord img2img --help)");
  render(job, output);
}

}  // namespace

void add_img2img_command(CommandLine& line, Action& action) {
  const auto job = std::make_shared<RenderJob>();
  CommandOptions options =
      line.add_command("img2img", "Make pictures from a picture and a prompt", kFooter,
                       [job, &action] { action = [job](Output& output) { img2img(*job, output); }; });
  add_image_options(options, *job);
  add_txt2img_options(options, *job);
}

}  // namespace fjord::cli
