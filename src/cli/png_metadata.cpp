// The record's JSON form has a number; it rises when old readers would misunderstand new files.
#include "cli/png_metadata.h"

#include "cli/adapter_json.h"
#include "cli/control_json.h"
#include "cli/image_input_json.h"
#include "cli/image_prompt_json.h"
#include "cli/json_fields.h"
#include "cli/numbers.h"
#include "cli/output.h"
#include "cli/request_json.h"

#include <fjord/error.h>

#include <nlohmann/json.hpp>

namespace fjord::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr char kJsonKeyword[] = "fjord";
constexpr char kParametersKeyword[] = "parameters";

Json record_to_json(const PictureRecord& record) {
  Json json = {
      {"format", kFormat},
      {"version", record.version},
      {"model", {{"path", record.model}, {"fingerprint", record.model_fingerprint}}},
      {"dtype", record.dtype},
      {"device", record.device},
      {"kernels", record.kernels},
      {"threads", record.threads},
      {"image_index", record.image_index},
      {"request", request_to_json(record.request)},
  };
  if (!is_default(record.files.files)) json["model_files"] = model_files_to_json(record.files);
  if (!record.latents.empty()) {
    json["latents"] = {{"path", record.latents}, {"fingerprint", record.latents_fingerprint}};
  }
  if (!record.input.images.empty()) json["input"] = input_files_to_json(record.input);
  if (!record.adapters.files.empty()) json["adapters"] = adapters_to_json(record.adapters);
  if (!record.controls.empty()) json["controls"] = controls_to_json(record.controls);
  if (!record.image_prompts.prompts.empty()) json["image_prompts"] = image_prompts_to_json(record.image_prompts);
  return json;
}

void read_file_mark(const Json* json, const std::string& where, std::string& path, std::string& fingerprint) {
  if (json == nullptr) return;
  JsonFields fields(*json, where);
  fields.read("path", path);
  fields.read("fingerprint", fingerprint);
  fields.refuse_others();
}

PictureRecord record_from_json(const Json& json, const std::string& where) {
  PictureRecord record;
  JsonFields fields(json, where);
  int format = 0;
  fields.read("format", format);
  if (format != kFormat) {
    throw Error(ErrorCode::kUnsupported,
                where + ": expected a record of format " + std::to_string(kFormat) + ", got " + std::to_string(format));
  }
  fields.read("version", record.version);
  read_file_mark(fields.object("model"), where + ": model", record.model, record.model_fingerprint);
  if (const Json* files = fields.object("model_files")) {
    record.files = model_files_from_json(*files, where + ": model_files");
  }
  fields.read("dtype", record.dtype);
  fields.read("device", record.device);
  fields.read("kernels", record.kernels);
  fields.read("threads", record.threads);
  fields.read("image_index", record.image_index);
  read_file_mark(fields.object("latents"), where + ": latents", record.latents, record.latents_fingerprint);
  if (const Json* input = fields.object("input")) record.input = input_files_from_json(*input, where + ": input");
  if (const Json* adapters = fields.object("adapters")) {
    record.adapters = adapters_from_json(*adapters, where + ": adapters");
  }
  record.controls = controls_from_json(fields.array("controls"), where + ": controls");
  if (const Json* prompts = fields.object("image_prompts")) {
    record.image_prompts = image_prompts_from_json(*prompts, where + ": image_prompts");
  }
  const Json* request = fields.object("request");
  if (request == nullptr) throw Error(ErrorCode::kBadFile, where + ": the request is missing");
  record.request = request_from_json(*request);
  fields.refuse_others();
  if (record.image_index < 0 || record.image_index >= record.request.images) {
    throw Error(ErrorCode::kBadFile, where + ": there is no image " + std::to_string(record.image_index) + " of " +
                                         std::to_string(record.request.images));
  }
  return record;
}

// "DDIMScheduler" -> "DDIM".
std::string sampler_name(const std::string& scheduler) {
  constexpr std::string_view kEnding = "Scheduler";
  if (scheduler.size() <= kEnding.size() || !scheduler.ends_with(kEnding)) return scheduler;
  return scheduler.substr(0, scheduler.size() - kEnding.size());
}

std::string model_name(const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  const std::string trimmed = path.substr(0, end == std::string::npos ? 0 : end + 1);
  const size_t slash = trimmed.rfind('/');
  return slash == std::string::npos ? trimmed : trimmed.substr(slash + 1);
}

// Values with a comma, a colon or a line break stand between quotation marks, as that web UI does it.
std::string field_value(const std::string& value) {
  return value.find_first_of(",:\n") == std::string::npos
             ? value
             : Json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string batch_fields(const PictureRecord& record) {
  const Request& request = record.request;
  if (request.images == 1) return "";
  return ", Batch size: " + std::to_string(request.images) + ", Batch pos: " + std::to_string(record.image_index);
}

// With the names that that web UI has for them.
std::string task_fields(const Request& request) {
  std::string text;
  if (request.image_input.strength) text += ", Denoising strength: " + format_real(*request.image_input.strength);
  if (request.variation.strength != 0) {
    text += ", Variation seed: " + std::to_string(request.variation.seed) +
            ", Variation seed strength: " + format_real(request.variation.strength);
  }
  if (request.hires.scale != 1) {
    text += ", Hires upscale: " + format_real(request.hires.scale) +
            ", Hires strength: " + format_real(request.hires.strength);
  }
  if (request.seamless.x || request.seamless.y) text += ", Tiling: True";
  return text;
}

std::string approximation_fields(const Approximation& approximation) {
  const Approximation none;
  std::string text;
  const auto add = [&text](const char* name, const std::string& value) {
    text += ", " + std::string(name) + ": " + value;
  };
  const auto& a = approximation;
  if (a.guidance_begin != none.guidance_begin) add("Guidance begin", format_real(a.guidance_begin));
  if (a.guidance_end != none.guidance_end) add("Guidance end", format_real(a.guidance_end));
  if (a.guidance_every != none.guidance_every) add("Guidance every", std::to_string(a.guidance_every));
  if (a.cache_interval != none.cache_interval) {
    add("DeepCache interval", std::to_string(a.cache_interval));
    add("DeepCache branch", std::to_string(a.cache_branch));
  }
  if (a.text_gate != none.text_gate) add("T-GATE", format_real(a.text_gate));
  if (a.merge_ratio != none.merge_ratio) add("Token merging ratio", format_real(a.merge_ratio));
  return text;
}

}  // namespace

std::string parameters_text(const PictureRecord& record) {
  const Request& request = record.request;
  std::string text = request.prompt;
  if (!request.negative_prompt.empty()) text += "\nNegative prompt: " + request.negative_prompt;
  text += "\nSteps: " + std::to_string(request.steps);
  text += ", Sampler: " + field_value(sampler_name(request.scheduler));
  text += ", CFG scale: " + format_real(request.guidance.value_or(1.0));
  // With one seed per image this image's own; otherwise that of the whole batch.
  const auto offset = request.per_image_seeds ? static_cast<std::uint64_t>(record.image_index) : 0;
  text += ", Seed: " + std::to_string(request.seed + offset);
  text += ", Size: " + std::to_string(request.width) + "x" + std::to_string(request.height);
  text += ", Model: " + field_value(model_name(record.model));
  if (request.guidance_rescale != 0.0) text += ", CFG rescale: " + format_real(request.guidance_rescale);
  text += task_fields(request);
  for (const auto& [key, value] : request.scheduler_options) text += ", " + key + ": " + field_value(value);
  text += approximation_fields(request.approximation);
  return text + batch_fields(record) + ", Version: fjord " + record.version;
}

PngText to_png_text(const PictureRecord& record) {
  // A path need not be UTF-8, PNG text must be.
  const std::string json = record_to_json(record).dump(-1, ' ', false, Json::error_handler_t::replace);
  return {{kParametersKeyword, parameters_text(record)}, {kJsonKeyword, json}};
}

PictureRecord record_from_png_text(const PngText& text, const std::string& path) {
  const auto found = text.find(kJsonKeyword);
  if (found == text.end()) {
    throw Error(ErrorCode::kBadFile, in_quotes(path) + " carries no parameters of fjord (no text chunk \"fjord\")");
  }
  const Json json = Json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) throw Error(ErrorCode::kBadFile, in_quotes(path) + ": the text chunk \"fjord\" is not JSON");
  return record_from_json(json, in_quotes(path));
}

}  // namespace fjord::cli
