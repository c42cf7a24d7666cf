// The options of `fjord txt2img`, which all commands that make pictures have.
#pragma once

#include "cli/command_line.h"
#include "cli/render.h"

namespace fjord::cli {

// `job` must outlive the parsing.
void add_txt2img_options(CommandOptions& options, RenderJob& job);

}  // namespace fjord::cli
