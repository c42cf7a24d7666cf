// The order matters: what can be refused cheaply is refused before the model is loaded.
#include "cli/render.h"

#include "cli/exit_codes.h"
#include "cli/fingerprint.h"
#include "cli/heat_map_files.h"
#include "cli/interrupt.h"
#include "cli/numbers.h"
#include "cli/png_metadata.h"
#include "cli/progress_json.h"
#include "cli/request_json.h"

#include <fjord/inspect.h>
#include <fjord/version.h>

#include <algorithm>
#include <set>

namespace fjord::cli {
namespace {

constexpr char kLatentsKey[] = "latents";

// Paths of the pictures, in the order of the images that are written.
std::vector<std::string> picture_paths(const RenderJob& job, int images) {
  if (job.only_image >= 0) return {job.out};
  std::vector<std::string> paths;
  for (int i = 0; i < images; ++i) paths.push_back(numbered_path(job.out, i, images));
  return paths;
}

void check_outputs(const RenderJob& job) {
  // More images than this are refused by the library; the folder is the same for all.
  constexpr int kChecked = 64;
  std::vector<std::string> paths = picture_paths(job, std::min(job.request.images, kChecked));
  if (!job.save_latents.empty()) paths.push_back(job.save_latents);
  if (!job.preview.empty()) paths.push_back(job.preview);
  if (!job.heat_maps.empty()) paths.push_back(with_suffix(job.heat_maps, "-01"));
  std::set<std::string> seen;
  for (const std::string& path : paths) {
    if (!seen.insert(path).second) throw UsageError("two outputs have the same path " + in_quotes(path));
    check_writable(path);
  }
}

Array read_latents(const std::string& path) {
  std::map<std::string, Array> arrays = read_arrays(path);
  const auto found = arrays.size() == 1 ? arrays.begin() : arrays.find(kLatentsKey);
  if (found == arrays.end()) {
    throw Error(ErrorCode::kBadFile, "expected a tensor named \"latents\" or a single tensor in " + in_quotes(path) +
                                         ", got " + std::to_string(arrays.size()) + " tensors");
  }
  return std::move(found->second);
}

// A preview is a help, not the work: where it fails, a warning is enough.
void write_preview(const RenderJob& job, const Generation& generation, ProgressReporter& reporter) {
  try {
    const std::vector<Image> images = generation.preview();
    if (!images.empty()) write_png(job.preview, images.front());
  } catch (const std::exception& error) {
    reporter.clear();
    warn(std::string("no preview: ") + error.what());
  }
}

Result generate(const RenderJob& job, const Pipeline& pipeline, const Request& request, ProgressReporter& reporter) {
  const auto observer = [&](const Progress& progress, const Generation& generation) {
    reporter.report(progress);
    const bool due = progress.phase == Phase::kDenoise && progress.step > 0 && progress.step < progress.steps &&
                     progress.step % job.preview_every == 0;
    if (due && !job.preview.empty() && !interrupted()) write_preview(job, generation, reporter);
    return !interrupted();
  };
  Result result = pipeline.generate(request, observer);
  throw_if_interrupted();
  return result;
}

void write_results(const RenderJob& job, const Result& result, PictureRecord record,
                   const std::vector<std::string>& paths) {
  record.request = result.request;
  for (size_t i = 0; i < paths.size(); ++i) {
    record.image_index = job.only_image >= 0 ? job.only_image : static_cast<int>(i);
    write_png(paths[i], result.images.at(static_cast<size_t>(record.image_index)), to_png_text(record));
  }
  if (!job.heat_maps.empty()) write_heat_maps(job.heat_maps, result);
  if (!job.save_latents.empty()) write_arrays(job.save_latents, {{kLatentsKey, result.latents}});
}

void announce(const RenderJob& job, const Result& result, const std::vector<std::string>& paths,
              const ProgressReporter& reporter, Output& output) {
  if (reporter.mode() == ProgressMode::kJson) {
    output.write(done_line(result, paths, job.save_latents));
    return;
  }
  const Request& request = result.request;
  const Image none{request.width, request.height, {}};
  const Image& first = result.images.empty() ? none : result.images.front();  // its size need not be the run's
  const std::string how = " (" + std::to_string(first.width) + "x" + std::to_string(first.height) + ", " +
                          std::to_string(request.steps) + " steps, seed " + std::to_string(request.seed) + ", " +
                          format_fixed(result.seconds, 1) + " s)\n";
  for (const std::string& path : paths) output.write("The picture is " + printable(path) + how);
  if (!job.heat_maps.empty()) output.write("The heat maps are beside " + printable(job.heat_maps) + "\n");
  if (!job.save_latents.empty()) output.write("The latents are " + printable(job.save_latents) + "\n");
}

void warn_if_changed(const std::string& what, const std::string& expected, const std::string& actual) {
  if (expected.empty() || expected == actual) return;
  warn(what + " is not the one of the first time (fingerprint " + expected + " then, " + actual +
       " now), so the picture may differ");
}

}  // namespace

Precision parse_precision(const std::string& text) {
  if (text == "auto") return Precision::kAuto;
  if (text == "float32") return Precision::kFloat32;
  if (text == "bfloat16") return Precision::kBFloat16;
  if (text == "float16") return Precision::kFloat16;
  throw UsageError("--dtype: expected auto, float32, bfloat16 or float16, got " + in_quotes(text));
}

std::string precision_name(Precision precision) {
  switch (precision) {
    case Precision::kFloat32: return "float32";
    case Precision::kBFloat16: return "bfloat16";
    case Precision::kFloat16: return "float16";
    case Precision::kAuto: return "auto";
  }
  return "unknown";
}

void render(const RenderJob& job, Output& output) {
  check_utf8("the prompt", job.request.prompt);
  check_utf8("the negative prompt", job.request.negative_prompt);
  check_utf8("the second prompt", job.request.prompting.prompt_2);
  check_utf8("the second negative prompt", job.request.prompting.negative_prompt_2);
  check_outputs(job);
  PictureRecord record;
  record.version = version();
  record.model = job.model;
  record.dtype = precision_name(job.load.precision);
  record.threads = job.load.threads;
  Request request = job.request;
  if (!request.timesteps.empty() || !request.sigmas.empty()) request.steps = 0;  // their number decides
  request.guidance_options.heat_maps = !job.heat_maps.empty();
  if (!job.latents.empty()) {
    request.latents = read_latents(job.latents);
    record.latents = job.latents;
    record.latents_fingerprint = array_fingerprint(request.latents);
    warn_if_changed("the file of latents", job.expected_latents_fingerprint, record.latents_fingerprint);
  }
  record.input = job.files;
  read_input_files(record.input, request);
  record.adapters = with_fingerprints(job.adapters);
  record.controls = with_fingerprints(job.controls);
  record.image_prompts = job.image_prompts;
  request.image_prompts = read_image_prompts(record.image_prompts);
  const std::string model = find_model(job.model);
  LoadOptions load = job.load;
  fuse_adapters(record.adapters, load);
  ProgressReporter reporter(job.progress, output);
  reporter.loading(job.model);
  const Pipeline pipeline = Pipeline::load(model, load);
  request.adapters = load_adapters(record.adapters, pipeline);
  request.controls = load_controls(record.controls, pipeline);
  load_image_adapters(record.image_prompts, pipeline, request.image_prompts);
  throw_if_interrupted();
  record.device = pipeline.info().device;
  record.kernels = pipeline.info().kernels;
  record.files = record_of(job.load.files);
  record.model_fingerprint = model_fingerprint(model);
  if (job.expected_fingerprint != record.model_fingerprint) reporter.clear();
  warn_if_changed("the model " + in_quotes(job.model), job.expected_fingerprint, record.model_fingerprint);
  warn_if_changed("the VAE", job.expected_files.vae_fingerprint, record.files.vae_fingerprint);
  warn_if_changed("the tokenizer", job.expected_files.tokenizer_fingerprint, record.files.tokenizer_fingerprint);
  for (const std::string& note : pipeline.info().notes) warn(note);
  const Result result = generate(job, pipeline, request, reporter);
  reporter.clear();
  for (const std::string& warning : result.warnings) warn(warning);
  for (const std::string& note : result.notes) warn(note);
  const std::vector<std::string> paths = picture_paths(job, static_cast<int>(result.images.size()));
  write_results(job, result, std::move(record), paths);
  announce(job, result, paths, reporter, output);
}

}  // namespace fjord::cli
