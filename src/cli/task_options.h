// Options of what a picture starts from and goes through: pictures, masks, variations, second passes, seamless tiling.
#pragma once

#include "cli/command_line.h"
#include "cli/render.h"

namespace fjord::cli {

// --variation-seed, --hires, --seamless and theirs.
void add_pass_options(CommandOptions& options, Request& request);
// --image, --strength, --fit.
void add_image_options(CommandOptions& options, RenderJob& job);
// --mask, --extend, --region and theirs.
void add_inpaint_options(CommandOptions& options, RenderJob& job);

}  // namespace fjord::cli
