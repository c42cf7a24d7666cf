// fjord replay: the same picture once more, from the record that its file carries.
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/numbers.h"
#include "cli/png_metadata.h"
#include "cli/render.h"

#include <fjord/inspect.h>
#include <fjord/version.h>

#include <algorithm>
#include <memory>

namespace fjord::cli {
namespace {

constexpr char kFooter[] =
    "The picture is made with the recorded model, device, dtype, threads and request. If the model's fingerprint "
    "(names,\n"
    "sizes and samples of its files) differs from the recorded one, a warning says so. A picture that was made from\n"
    "other files needs those files. On the same machine and version the pixels are identical.\n\n"
    "Examples:\n"
    "  fjord replay crown.png\n"
    "  fjord replay crown.png --model weights/tiny --device cpu --out again.png";

struct ReplayOptions {
  std::string picture;
  RenderJob job;
  std::string model;
  std::string device;
  std::string cpu_kernels;
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

// The wished kernels, else the recorded ones where this processor has them.
std::string usable_kernels(const std::string& wished, const std::string& recorded) {
  if (!wished.empty()) return wished;
  const auto names = cpu_kernel_names();
  if (recorded == "reference" || std::find(names.begin(), names.end(), recorded) != names.end()) return recorded;
  warn("this processor has no CPU kernels " + in_quotes(recorded) + ", so the picture may differ a little");
  return "auto";
}

void replay(const ReplayOptions& options, Output& output) {
  const PictureRecord record = record_from_png_text(read_png_text(options.picture), options.picture);
  RenderJob job = options.job;
  job.model = options.model.empty() ? record.model : options.model;
  job.expected_fingerprint = record.model_fingerprint;
  job.load.device = options.device.empty() ? record.device : options.device;
  job.load.files = record.files.files;
  job.expected_files = record.files;
  job.load.precision = recorded_precision(record.dtype, options.picture);
  job.load.cpu_kernels = usable_kernels(options.cpu_kernels, record.kernels);
  if (job.load.threads == 0) job.load.threads = record.threads;
  job.request = record.request;
  if (job.files.images.empty()) job.files.images = record.input.images;
  if (job.files.mask.path.empty()) job.files.mask = record.input.mask;
  job.files.mask_source = record.input.mask_source;
  if (job.latents.empty()) job.latents = record.latents;
  job.expected_latents_fingerprint = record.latents_fingerprint;
  job.adapters = record.adapters;
  job.controls = record.controls;
  job.image_prompts = record.image_prompts;
  job.only_image = record.image_index;
  job.out = options.out.empty() ? with_suffix(options.picture, "-replay") : options.out;
  if (record.version != version()) {
    warn("fjord " + record.version + " made this picture, this is " + version() + ", so the picture may differ");
  }
  render(job, output);
}

}  // namespace

void add_replay_command(CommandLine& line, Action& action) {
  const auto replay_options = std::make_shared<ReplayOptions>();
  CommandOptions options = line.add_command(
      "replay", "Make a picture again from the parameters in its PNG file", kFooter,
      [replay_options, &action] { action = [replay_options](Output& output) { replay(*replay_options, output); }; });
  RenderJob& job = replay_options->job;
  options.positional("FILE", "A PNG file that fjord wrote", replay_options->picture);
  options.text("--out", "FILE.png", "Where the new picture goes (default: FILE-replay.png)", replay_options->out);
  options.text("--model", "PATH", "Model folder (default: the recorded one)", replay_options->model);
  options.text("--device", "DEVICE", "Device (default: the recorded one)", replay_options->device);
  options.text("--cpu-kernels", "NAME", "What computes on a CPU (default: as recorded)", replay_options->cpu_kernels);
  options.parsed("--threads", "N", "CPU threads (default: as recorded)",
                 [&job](const std::string& option, const std::string& text) {
                   job.load.threads = parse_integer(option, text, 1);
                 });
  options.repeated("--image", "FILE.png", "Pictures to start from (default: the recorded files, if any)",
                   [&job](const std::string&, const std::string& text) {
                     job.files.images.push_back({text, ""});
                   });
  options.text("--mask", "FILE.png", "Mask (default: the recorded file, if any)", job.files.mask.path);
  options.text("--latents", "FILE.safetensors", "Initial latents (default: the recorded file, if any)", job.latents);
  options.text("--save-latents", "FILE.safetensors", "Also write the final latents", job.save_latents);
  options.parsed("--progress", "MODE", "auto, bar, json or none (default: auto)",
                 [&job](const std::string&, const std::string& text) { job.progress = parse_progress_mode(text); });
}

}  // namespace fjord::cli
