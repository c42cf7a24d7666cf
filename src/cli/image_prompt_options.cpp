#include "cli/image_prompt_options.h"

#include "cli/exit_codes.h"
#include "cli/guidance_options.h"
#include "cli/numbers.h"
#include "cli/output.h"

#include <optional>
#include <utility>

namespace fjord::cli {
namespace {

std::vector<InputFile> parse_files(const std::string& option, const std::string& text) {
  std::vector<InputFile> files;
  for (const auto& path : split_names(text)) {
    if (path.empty()) throw UsageError(option + ": expected FILE.png,FILE.png..., got " + in_quotes(text));
    files.push_back({path, ""});
  }
  return files;
}

// FILE.png[,FILE.png...][:SCALE]
ImagePromptFile parse_prompt(const std::string& option, std::string text) {
  ImagePromptFile prompt;
  const auto colon = text.rfind(':');
  if (colon != std::string::npos && colon > 0) {
    try {
      prompt.scale = parse_real(option, text.substr(colon + 1));
      text.erase(colon);
    } catch (const UsageError&) {  // no number: the colon belongs to a file's name
    }
  }
  prompt.images = parse_files(option, text);
  return prompt;
}

// NAME=SCALE[,NAME=SCALE...]
std::map<std::string, double> parse_layers(const std::string& option, const std::string& text) {
  std::map<std::string, double> scales;
  for (const auto& each : split_names(text)) {
    const auto equals = each.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw UsageError(option + ": expected NAME=SCALE,..., got " + in_quotes(text));
    }
    scales[each.substr(0, equals)] = parse_real(option, each.substr(equals + 1));
  }
  return scales;
}

ReadOption file_into(std::vector<InputFile>& files) {
  return [&files](const std::string&, const std::string& text) { files.push_back({text, ""}); };
}

void check_lists(const ImagePromptFiles& files) {
  const auto adapters = files.adapters.size(), prompts = files.prompts.size();
  if (prompts == 0 && adapters == 0) return;
  if (adapters == 0) throw UsageError("--image-prompt needs --image-adapter");
  if (adapters != 1 && adapters != prompts) {
    throw UsageError("expected one --image-adapter, or one for each of the " + std::to_string(prompts) +
                     " --image-prompt, got " + std::to_string(adapters));
  }
  if (files.encoders.size() > 1 && files.encoders.size() != adapters) {
    throw UsageError("expected one --image-encoder, or one for each of the " + std::to_string(adapters) +
                     " --image-adapter, got " + std::to_string(files.encoders.size()));
  }
  if (files.masks.size() > prompts || files.layer_scales.size() > prompts) {
    throw UsageError("--image-prompt-mask and --image-prompt-layers belong to an --image-prompt each: there are " +
                     std::to_string(prompts) + " of those");
  }
}

ImagePrompt read_prompt(ImagePromptFiles& files, size_t i) {
  ImagePrompt prompt;
  prompt.scale = files.prompts[i].scale;
  for (auto& file : files.prompts[i].images) {
    prompt.images.push_back(read_png(file.path));
    note_fingerprint(file);
  }
  if (i < files.layer_scales.size()) prompt.layer_scales = files.layer_scales[i];
  if (i >= files.masks.size()) return prompt;
  for (auto& file : files.masks[i]) {
    prompt.masks.push_back(read_png_mask(file.path));
    note_fingerprint(file);
  }
  return prompt;
}

}  // namespace

void add_image_prompt_options(CommandOptions& options, ImagePromptFiles& files) {
  options.repeated("--image-adapter", "FILE", "An IP-Adapter for --image-prompt; one for all, or one for each",
                   file_into(files.adapters));
  options.repeated("--image-encoder", "FOLDER",
                   "The image encoder that it was trained with (default: image_encoder beside the adapter)",
                   file_into(files.encoders));
  options.repeated("--image-prompt", "FILE.png[,...][:SCALE]",
                   "A picture to resemble, or several looked at together, and how strongly, 1 without; may be repeated",
                   [&files](const std::string& option, const std::string& text) {
                     files.prompts.push_back(parse_prompt(option, text));
                   });
  options.repeated("--image-prompt-mask", "FILE.png[,...]",
                   "Where the pictures of an --image-prompt count: white; one for each picture",
                   [&files](const std::string& option, const std::string& text) {
                     files.masks.push_back(parse_files(option, text));
                   });
  options.repeated("--image-prompt-layers", "NAME=SCALE[,...]",
                   "Other scales of an --image-prompt for attention layers with NAME in theirs, for style alone: "
                   "up_blocks.0.attentions.1=1 with scale 0 (XL)",
                   [&files](const std::string& option, const std::string& text) {
                     files.layer_scales.push_back(parse_layers(option, text));
                   });
}

std::vector<ImagePrompt> read_image_prompts(ImagePromptFiles& files) {
  check_lists(files);
  for (auto* list : {&files.adapters, &files.encoders}) {
    for (auto& file : *list) note_fingerprint(file);
  }
  std::vector<ImagePrompt> prompts;
  for (size_t i = 0; i < files.prompts.size(); ++i) prompts.push_back(read_prompt(files, i));
  return prompts;
}

void load_image_adapters(const ImagePromptFiles& files, const Pipeline& pipeline, std::vector<ImagePrompt>& prompts) {
  std::vector<ImageAdapter> adapters;
  for (size_t i = 0; i < files.adapters.size() && !prompts.empty(); ++i) {
    const auto& encoders = files.encoders;
    const auto encoder = encoders.empty() ? "" : (encoders.size() == 1 ? encoders[0] : encoders[i]).path;
    adapters.push_back(pipeline.load_image_adapter(files.adapters[i].path, encoder));
  }
  for (size_t i = 0; i < prompts.size(); ++i) prompts[i].adapter = adapters[adapters.size() == 1 ? 0 : i];
}

}  // namespace fjord::cli
