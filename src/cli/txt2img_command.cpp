// fjord txt2img: a picture from a prompt.
#include "cli/commands.h"
#include "cli/control_options.h"
#include "cli/exit_codes.h"
#include "cli/guidance_options.h"
#include "cli/image_prompt_options.h"
#include "cli/model_files_options.h"
#include "cli/option_readers.h"
#include "cli/prompting_options.h"
#include "cli/render.h"
#include "cli/task_options.h"
#include "cli/txt2img_options.h"

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

ReadOption pair_into(std::map<std::string, std::string>& target) {
  return [&target](const std::string& option, const std::string& text) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw UsageError(option + ": expected key=value, got " + in_quotes(text));
    }
    target[text.substr(0, equals)] = text.substr(equals + 1);
  };
}

void add_picture_options(CommandOptions& options, Request& request) {
  options.required_text("--prompt", "TEXT", "What the picture shows, UTF-8", request.prompt);
  options.text("--negative", "TEXT", "What it shall not show", request.negative_prompt);
  options.parsed("--width", "N", "Pixels, a multiple of 8 (default: the model's)", integer_into(request.width));
  options.parsed("--height", "N", "Pixels, a multiple of 8 (default: the model's)", integer_into(request.height));
  options.parsed("--steps", "N", "Denoising steps (default: the model's)", integer_into(request.steps));
  options.parsed("--guidance", "G", "Classifier-free guidance scale, on above 1 (default: the model's)",
                 real_into(request.guidance));
  options.parsed("--guidance-rescale", "R", "0 to 1, against over-exposure (default: 0)",
                 real_into(request.guidance_rescale));
  options.parsed(
      "--seed", "S", "0 to 2^64-1; -1 or random: a new one, reported at the end (default: 0)",
      [&request](const std::string& option, const std::string& text) { request.seed = parse_seed(option, text); });
  options.flag("--per-image-seeds", "Image i uses seed S + i; otherwise one random stream serves all images",
               request.per_image_seeds);
  options.flag("--vae-tiling", "Decode large pictures in overlapping tiles, which takes less memory",
               request.vae_tiling);
  options.parsed("--images", "N", "Pictures of this prompt (default: 1)", integer_into(request.images));
}

void add_scheduler_options(CommandOptions& options, Request& request) {
  options.text("--scheduler", "NAME", "For example DDIMScheduler (default: the model folder's own)", request.scheduler);
  options.repeated("--scheduler-option", "KEY=VALUE",
                   "A field of scheduler_config.json, eta, sigma_table=ays_sd1...; may be repeated",
                   pair_into(request.scheduler_options));
  options.parsed("--timesteps", "A,B,C", "Custom timesteps, falling; they replace --steps",
                 [&request](const std::string& option, const std::string& text) {
                   request.timesteps = parse_reals(option, text);
                 });
  options.parsed(
      "--sigmas", "A,B,...,0", "Custom noise levels, falling, one more than steps; they replace --steps",
      [&request](const std::string& option, const std::string& text) { request.sigmas = parse_reals(option, text); });
}

ReadOption interval_into(Approximation& approximation) {
  return [&approximation](const std::string& option, const std::string& text) {
    const auto ends = parse_reals(option, text);
    if (ends.size() != 2) throw UsageError(option + ": expected two numbers A,B, got " + in_quotes(text));
    approximation.guidance_begin = ends[0];
    approximation.guidance_end = ends[1];
  };
}

// Faster, and not quite the same picture; docs/approximations.md.
void add_approximation_options(CommandOptions& options, Approximation& approximation) {
  options.parsed("--guidance-interval", "A,B",
                 "Faster: guide only in this part of the run, fractions of its steps (default: 0,1)",
                 interval_into(approximation));
  options.parsed("--guidance-every", "N",
                 "Faster: run without the prompt only every N-th step and reuse the difference (default: 1)",
                 integer_into(approximation.guidance_every));
  options.parsed("--cache-interval", "N", "Faster: DeepCache; run the deep layers only every N-th step (default: 1)",
                 integer_into(approximation.cache_interval));
  options.parsed("--cache-branch", "B",
                 "Skip connections, counted from the outside, that the other steps go down (default: 0)",
                 [&approximation](const std::string& option, const std::string& text) {
                   approximation.cache_branch = parse_integer(option, text, 0);
                 });
  options.parsed("--text-gate", "M",
                 "Faster: T-GATE; from this fraction of the steps on, freeze what the text does and do not guide "
                 "(default: 1, never)",
                 real_into(approximation.text_gate));
  options.parsed("--merge-ratio", "R",
                 "Faster in large pictures: merge this share of the pixels, up to 0.75, in the finest self-attention "
                 "(default: 0)",
                 real_into(approximation.merge_ratio));
}

void add_run_options(CommandOptions& options, RenderJob& job) {
  options.text("--model", "PATH",
               "Model folder in diffusers' layout, or single safetensors file (default: weights/tiny)", job.model);
  options.parsed("--dtype", "TYPE",
                 "auto (float32 on a CPU, bfloat16 on a GPU), float32, bfloat16, or float16 on a GPU (default: auto)",
                 [&job](const std::string&, const std::string& text) { job.load.precision = parse_precision(text); });
  options.text("--device", "DEVICE", "auto, cpu, cuda or cuda:INDEX (default: auto)", job.load.device);
  options.text(
      "--cpu-kernels", "NAME",
      "What computes on a CPU: auto, reference (LibTorch's plain operators), or a name that fjord doctor lists "
      "(default: auto)",
      job.load.cpu_kernels);
  options.text("--attention", "NAME",
               "What computes the U-Net's attention on a GPU: auto, own, own-hopper, cudnn, flash, mem-efficient, "
               "chunked or math (default: auto)",
               job.load.attention);
  options.text("--cuda-paths", "NAMES",
               "A GPU's faster ways: auto (all), none, or names among graph, update, sums, projections, upsampling, "
               "products and convolutions, separated by commas (default: auto)",
               job.load.cuda_paths);
  options.parsed(
      "--gpu-memory", "MIB",
      "Keep model and requests within so much of a GPU's memory; weights that do not fit rest in main memory "
      "(default: no limit)",
      [&job](const std::string& option, const std::string& text) {
        job.load.memory_budget = static_cast<std::uint64_t>(parse_integer(option, text, 1)) << 20;
      });
  options.flag("--drop-text-encoder", "Give the text encoder's memory back once the prompt is encoded",
               job.load.drop_text_encoder);
  options.parsed("--memory-budget", "MIB",
                 "What weights and request may take of the device's memory (default: no limit)",
                 [&job](const std::string& option, const std::string& text) {
                   job.request.memory_budget = static_cast<std::uint64_t>(parse_integer(option, text, 1)) << 20;
                 });
  options.parsed("--threads", "N", "CPU threads (default: as many as LibTorch finds good)",
                 integer_into(job.load.threads));
  options.parsed("--progress", "MODE",
                 "auto, bar, json or none (default: auto: a bar on a terminal, JSON lines elsewhere)",
                 [&job](const std::string&, const std::string& text) { job.progress = parse_progress_mode(text); });
}

void add_file_options(CommandOptions& options, RenderJob& job) {
  options.text("--out", "FILE.png", "Where the picture goes (default: out.png)", job.out);
  options.text("--save-latents", "FILE.safetensors", "Also write the final latents", job.save_latents);
  options.text("--latents", "FILE.safetensors", "Start from this noise of unit variance instead of the seed's",
               job.latents);
  options.text("--heat-maps", "FILE.png",
               "Also write, as FILE-01-word.png..., which part of the picture listens to which word", job.heat_maps);
  options.text("--preview", "FILE.png", "Rewrite this picture while the first image emerges", job.preview);
  options.text("--preview-vae", "PATH", "Folder of a small autoencoder (TAESD) that decodes the previews",
               job.load.preview_vae);
  options.parsed("--preview-every", "N", "Steps between two previews (default: 5)", integer_into(job.preview_every));
}

}  // namespace

void add_txt2img_options(CommandOptions& options, RenderJob& job) {
  add_preset_option(options, job.request);
  add_picture_options(options, job.request);
  add_prompting_options(options, job.request);
  add_pass_options(options, job.request);
  add_scheduler_options(options, job.request);
  add_guidance_options(options, job.request.guidance_options);
  add_approximation_options(options, job.request.approximation);
  add_adapter_options(options, job.adapters);
  add_control_options(options, job.controls, job.request);
  add_image_prompt_options(options, job.image_prompts);
  add_run_options(options, job);
  add_model_files_options(options, job.load.files);
  add_file_options(options, job);
}

void add_txt2img_command(CommandLine& line, Action& action) {
  const auto job = std::make_shared<RenderJob>();
  CommandOptions options = line.add_command("txt2img", "Make pictures from a prompt", kFooter, [job, &action] {
    action = [job](Output& output) { render(*job, output); };
  });
  add_txt2img_options(options, *job);
}

}  // namespace fjord::cli
