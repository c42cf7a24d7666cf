// Options that say where a model's parts come from, for every command that reads a model.
#pragma once

#include "cli/command_line.h"

#include <fjord/model_files.h>

namespace fjord::cli {

// `files` must outlive the parsing.
void add_model_files_options(CommandOptions& options, ModelFiles& files);

}  // namespace fjord::cli
