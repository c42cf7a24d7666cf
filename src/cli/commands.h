// The program's commands. Each adds its options to the command line and, when it is the chosen one, sets `action`.
#pragma once

#include "cli/command_line.h"
#include "cli/output.h"

#include <functional>

namespace fjord::cli {

// What the command line asks for. Throws Error or UsageError.
using Action = std::function<void(Output& output)>;

void add_txt2img_command(CommandLine& line, Action& action);
void add_img2img_command(CommandLine& line, Action& action);
void add_inpaint_command(CommandLine& line, Action& action);
void add_replay_command(CommandLine& line, Action& action);
void add_inspect_command(CommandLine& line, Action& action);
void add_quantize_command(CommandLine& line, Action& action);
void add_convert_command(CommandLine& line, Action& action);
void add_doctor_command(CommandLine& line, Action& action);

}  // namespace fjord::cli
