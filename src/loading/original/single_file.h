// A single-file checkpoint as a source in diffusers' layout: its tensors under the names of the folders' files, and
// configurations made from what its names and shapes show.
#pragma once

#include "loading/composed_source.h"
#include "loading/original/prediction.h"

#include <memory>
#include <string>

namespace fjord::loading {

struct SingleFile {
  const Family* family = nullptr;
  Task task;
  Prediction prediction;
  std::shared_ptr<ComposedSource> source;  // without tokenizers, unless options.tokenizer is given
};

// Throws Error: what Safetensors, family_of, drop_others, prediction_of and tokenizer_at throw; kBadFile for parts that
// are missing, not whole or of different families; kUnsupported for a U-Net with another number of input channels.
SingleFile open_single_file(std::unique_ptr<File> file, const ModelFiles& options);

}  // namespace fjord::loading
