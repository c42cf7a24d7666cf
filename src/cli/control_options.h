// Control networks on the command line: --control, --inpaint-control and --guess-mode.
#pragma once

#include "cli/command_line.h"
#include "cli/input_files.h"

#include <fjord/pipeline.h>

#include <string>
#include <vector>

namespace fjord::cli {

// A control network's files and what is asked of it.
struct ControlNetFile {
  InputFile model;    // folder or file
  InputFile picture;  // no path: the picture that is painted into, without the painted part
  double scale = 1.0;
  double begin = 0.0;
  double end = 1.0;
};

using ControlFiles = std::vector<ControlNetFile>;

// `files` and `request` must outlive the parsing.
void add_control_options(CommandOptions& options, ControlFiles& files, Request& request);
// --inpaint-control, for commands that paint into pictures.
void add_inpaint_control_option(CommandOptions& options, ControlFiles& files);

// Loads the networks and reads their pictures, for a request. What networks assume is a warning.
std::vector<ControlUse> load_controls(const ControlFiles& files, const Pipeline& pipeline);

// The same list with the fingerprints of the files as they are now; a warning where one has changed.
ControlFiles with_fingerprints(ControlFiles files);

}  // namespace fjord::cli
