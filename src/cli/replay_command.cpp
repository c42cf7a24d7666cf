// fjord replay: the same picture once more, from the record that its file carries.
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/numbers.h"
#include "cli/png_metadata.h"
#include "cli/render.h"

#include <fjord/version.h>

#include <CLI/CLI.hpp>

#include <memory>

namespace fjord::cli {
namespace {

constexpr char kFooter[] =
    "The picture is made with the recorded model, device, dtype, threads and request. If the model's fingerprint "
    "(names,\n"
    "sizes and samples of its files) differs from the recorded one, a warning says so. A picture that started from a\n"
    "latents file needs that file. On the same machine and version the pixels are identical.\n\n"
    "Examples:\n"
    "  fjord replay crown.png\n"
    "  fjord replay crown.png --model weights/tiny --device cpu --out again.png";

struct ReplayOptions {
  std::string picture;
  RenderJob job;
  std::string model;
  std::string device;
  std::string out;
};

// A record with a name that this program does not know is a damaged file, not a wrong command line.
Precision recorded_precision(const std::string& name, const std::string& path) {
  try {
    return parse_precision(name);
  } catch (const UsageError&) {
    throw Error(ErrorCode::kBadFile,
                in_quotes(path) + ": expected a known dtype in its record, got " + in_quotes(name));
  }
}

void replay(const ReplayOptions& options, Output& output) {
  const PictureRecord record = record_from_png_text(read_png_text(options.picture), options.picture);
  RenderJob job = options.job;
  job.model = options.model.empty() ? record.model : options.model;
  job.expected_fingerprint = record.model_fingerprint;
  job.load.device = options.device.empty() ? record.device : options.device;
  job.load.precision = recorded_precision(record.dtype, options.picture);
  if (job.load.threads == 0) job.load.threads = record.threads;
  job.request = record.request;
  if (job.latents.empty()) job.latents = record.latents;
  job.expected_latents_fingerprint = record.latents_fingerprint;
  job.only_image = record.image_index;
  job.out = options.out.empty() ? with_suffix(options.picture, "-replay") : options.out;
  if (record.version != version()) {
    warn("fjord " + record.version + " made this picture, this is " + version() + ", so the picture may differ");
  }
  render(job, output);
}

}  // namespace

void add_replay_command(CLI::App& app, Action& action) {
  const auto options = std::make_shared<ReplayOptions>();
  CLI::App& command = *app.add_subcommand("replay", "Make a picture again from the parameters in its PNG file");
  command.add_option("FILE", options->picture, "A PNG file that fjord wrote")->required()->type_name("");
  command.add_option("--out", options->out, "Where the new picture goes (default: FILE-replay.png)")
      ->type_name("FILE.png");
  command.add_option("--model", options->model, "Model folder (default: the recorded one)")->type_name("PATH");
  command.add_option("--device", options->device, "Device (default: the recorded one)")->type_name("DEVICE");
  command
      .add_option_function<std::string>(
          "--threads",
          [options](const std::string& text) { options->job.load.threads = parse_integer("--threads", text, 1); },
          "CPU threads (default: as recorded)")
      ->type_name("N");
  command.add_option("--latents", options->job.latents, "Initial latents (default: the recorded file, if any)")
      ->type_name("FILE.safetensors");
  command.add_option("--save-latents", options->job.save_latents, "Also write the final latents")
      ->type_name("FILE.safetensors");
  command
      .add_option_function<std::string>(
          "--progress", [options](const std::string& text) { options->job.progress = parse_progress_mode(text); },
          "auto, bar, json or none (default: auto)")
      ->type_name("MODE");
  command.footer(kFooter);
  command.callback([options, &action] { action = [options](Output& output) { replay(*options, output); }; });
}

}  // namespace fjord::cli
