// A model as a source in diffusers' layout, whatever it lies in, with what the caller puts in the place of its parts.
#pragma once

#include "loading/source.h"

#include <fjord/model_files.h>

#include <memory>
#include <string>
#include <vector>

namespace fjord::loading {

struct OpenedModel {
  std::shared_ptr<const Source> source;
  std::vector<std::string> notes;                             // what is assumed, a sentence each
  std::vector<std::pair<std::string, std::string>> findings;  // of a single file: what it was found to be, and by what
};

// A folder or a single safetensors file. Throws Error: kNotFound, kBadFile, kUnsupported, kInvalidArgument.
OpenedModel open_model(const std::string& path, const ModelFiles& options = {});

// The same for a model that lies in a source already (a folder, memory, ...).
OpenedModel open_model(std::shared_ptr<const Source> folder, const ModelFiles& options);

// The same for the file of a whole model.
OpenedModel open_model(std::unique_ptr<File> file, const ModelFiles& options);

// Throws Error(kNotFound), saying how to give one, if the model has no tokenizer.
void check_tokenizer(const OpenedModel& model);

}  // namespace fjord::loading
