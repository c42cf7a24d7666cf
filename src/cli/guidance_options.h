// The options for how the prompt steers; docs/guidance.md.
#pragma once

#include "cli/command_line.h"

#include <fjord/guidance.h>

namespace fjord::cli {

// `guidance` must outlive the parsing.
void add_guidance_options(CommandOptions& options, Guidance& guidance);

// "a,b" to its parts and back; empty parts stay.
std::vector<std::string> split_names(const std::string& text);
std::string join_names(const std::vector<std::string>& names);

}  // namespace fjord::cli
