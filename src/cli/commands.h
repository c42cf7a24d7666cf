// The program's commands. Each adds its options to the parser and, when it is the chosen one, sets `action`.
#pragma once

#include "cli/output.h"

#include <functional>

namespace CLI {
class App;
}

namespace fjord::cli {

// What the command line asks for. Throws Error or UsageError.
using Action = std::function<void(Output& output)>;

void add_txt2img_command(CLI::App& app, Action& action);
void add_replay_command(CLI::App& app, Action& action);
void add_inspect_command(CLI::App& app, Action& action);
void add_doctor_command(CLI::App& app, Action& action);

}  // namespace fjord::cli
