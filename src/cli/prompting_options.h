// Options of prompts, of the sizes that a model is told, and of the part of the way that is walked.
#pragma once

#include "cli/command_line.h"

#include <fjord/request.h>

namespace fjord::cli {

// "--preset". Call before the options that may change what it sets: those given besides count.
void add_preset_option(CommandOptions& options, Request& request);

// Sets Request::prompting, micro, range and reproduction.
void add_prompting_options(CommandOptions& options, Request& request);

}  // namespace fjord::cli
