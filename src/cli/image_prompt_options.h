// Pictures as prompts on the command line: --image-adapter, --image-prompt and theirs.
#pragma once

#include "cli/command_line.h"
#include "cli/input_files.h"

#include <fjord/pipeline.h>

#include <map>
#include <string>
#include <vector>

namespace fjord::cli {

// One --image-prompt: pictures that are looked at together.
struct ImagePromptFile {
  std::vector<InputFile> images;
  double scale = 1.0;
};

// The lists as the command line gives them. One adapter serves all prompts; of several each serves one.
struct ImagePromptFiles {
  std::vector<InputFile> adapters;
  std::vector<InputFile> encoders;  // none: beside the adapters; one for all, or one for each
  std::vector<ImagePromptFile> prompts;
  std::vector<std::vector<InputFile>> masks;                // of the first prompts, one for each of their pictures
  std::vector<std::map<std::string, double>> layer_scales;  // of the first prompts
};

// `files` must outlive the parsing.
void add_image_prompt_options(CommandOptions& options, ImagePromptFiles& files);

// Reads the pictures and masks, and fills the fingerprints in; one that was known and is another now is a warning.
// Throws UsageError if the lists do not belong together, Error as read_png does.
std::vector<ImagePrompt> read_image_prompts(ImagePromptFiles& files);

// Gives every prompt that read_image_prompts read its adapter.
void load_image_adapters(const ImagePromptFiles& files, const Pipeline& pipeline, std::vector<ImagePrompt>& prompts);

}  // namespace fjord::cli
