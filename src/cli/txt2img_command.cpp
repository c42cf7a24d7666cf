// fjord txt2img: a picture from a prompt.
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/numbers.h"
#include "cli/render.h"

#include <CLI/CLI.hpp>

#include <memory>

namespace fjord::cli {
namespace {

constexpr char kFooter[] =
    "Several images are written as FILE-1.png, FILE-2.png and so on. Each file appears whole or not at all.\n"
    "A picture carries its parameters; `fjord replay FILE.png` makes it again.\n\n"
    "Examples:\n"
    "  fjord txt2img --prompt \"a gold crown on red cloth\" --out crown.png\n"
    "  fjord txt2img --prompt \"a blue cup\" --seed random --images 4 --out cup.png\n"
    "  fjord txt2img --prompt \"a blue cup\" --scheduler DPMSolverMultistepScheduler \\\n"
    "      --scheduler-option use_karras_sigmas=true --steps 12 --out cup.png";

// Options whose text is read by a function of ours, since CLI11's own conversion depends on the locale.
template <typename Read>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, const std::string& type, const std::string& help,
                        Read read) {
  return app
      .add_option_function<std::string>(
          name, [name, read](const std::string& text) { read(name, text); }, help)
      ->type_name(type);
}

void add_scheduler_option(std::map<std::string, std::string>& options, const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UsageError("--scheduler-option: expected key=value, got " + in_quotes(text));
  }
  options[text.substr(0, equals)] = text.substr(equals + 1);
}

void add_picture_options(CLI::App& app, Request& request) {
  const auto integer = [&app](const char* name, const char* help, int& target) {
    add_parsed(app, name, "N", help, [&target](const std::string& option, const std::string& text) {
      target = parse_integer(option, text, 1);
    });
  };
  app.add_option("--prompt", request.prompt, "What the picture shows, UTF-8")->type_name("TEXT")->required();
  app.add_option("--negative", request.negative_prompt, "What it shall not show")->type_name("TEXT");
  integer("--width", "Pixels, a multiple of 8 (default: the model's)", request.width);
  integer("--height", "Pixels, a multiple of 8 (default: the model's)", request.height);
  integer("--steps", "Denoising steps (default: the model's)", request.steps);
  integer("--images", "Pictures of this prompt (default: 1)", request.images);
  add_parsed(
      app, "--guidance", "G", "Classifier-free guidance scale, on above 1 (default: the model's)",
      [&request](const std::string& option, const std::string& text) { request.guidance = parse_real(option, text); });
  add_parsed(app, "--guidance-rescale", "R", "0 to 1, against over-exposure (default: 0)",
             [&request](const std::string& option, const std::string& text) {
               request.guidance_rescale = parse_real(option, text);
             });
  add_parsed(
      app, "--seed", "S", "0 to 2^64-1; -1 or random: a new one, reported at the end (default: 0)",
      [&request](const std::string& option, const std::string& text) { request.seed = parse_seed(option, text); });
  app.add_flag("--per-image-seeds", request.per_image_seeds,
               "Image i uses seed S + i; otherwise one random stream serves all images");
}

void add_scheduler_options(CLI::App& app, Request& request) {
  app.add_option("--scheduler", request.scheduler, "For example DDIMScheduler (default: the model folder's own)")
      ->type_name("NAME");
  app.add_option_function<std::vector<std::string>>(
         "--scheduler-option",
         [&request](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) add_scheduler_option(request.scheduler_options, text);
         },
         "A field of scheduler_config.json, or eta; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_parsed(app, "--timesteps", "A,B,C", "Custom timesteps, falling; they replace --steps",
             [&request](const std::string& option, const std::string& text) {
               request.timesteps = parse_reals(option, text);
             });
}

void add_run_options(CLI::App& app, RenderJob& job) {
  app.add_option("--model", job.model, "Model folder in diffusers' layout (default: weights/tiny)")->type_name("PATH");
  add_parsed(app, "--dtype", "TYPE", "float32, bfloat16, or float16 on a GPU (default: float32)",
             [&job](const std::string&, const std::string& text) { job.load.precision = parse_precision(text); });
  app.add_option("--device", job.load.device, "auto, cpu, cuda or cuda:INDEX (default: auto)")->type_name("DEVICE");
  add_parsed(app, "--threads", "N", "CPU threads (default: as many as LibTorch finds good)",
             [&job](const std::string& option, const std::string& text) {
               job.load.threads = parse_integer(option, text, 1);
             });
}

void add_file_options(CLI::App& app, RenderJob& job) {
  app.add_option("--out", job.out, "Where the picture goes (default: out.png)")->type_name("FILE.png");
  app.add_option("--save-latents", job.save_latents, "Also write the final latents")->type_name("FILE.safetensors");
  app.add_option("--latents", job.latents, "Start from this noise of unit variance instead of the seed's")
      ->type_name("FILE.safetensors");
  add_parsed(app, "--progress", "MODE", "auto, bar, json or none (default: auto: bar on a terminal, else JSON lines)",
             [&job](const std::string&, const std::string& text) { job.progress = parse_progress_mode(text); });
  app.add_option("--preview", job.preview, "Rewrite this picture while the first image emerges")->type_name("FILE.png");
  add_parsed(app, "--preview-every", "N", "Steps between two previews (default: 5)",
             [&job](const std::string& option, const std::string& text) {
               job.preview_every = parse_integer(option, text, 1);
             });
}

}  // namespace

void add_txt2img_command(CLI::App& app, Action& action) {
  const auto job = std::make_shared<RenderJob>();
  CLI::App& command = *app.add_subcommand("txt2img", "Make pictures from a prompt");
  add_picture_options(command, job->request);
  add_scheduler_options(command, job->request);
  add_run_options(command, *job);
  add_file_options(command, *job);
  command.footer(kFooter);
  command.callback([job, &action] { action = [job](Output& output) { render(*job, output); }; });
}

}  // namespace fjord::cli
