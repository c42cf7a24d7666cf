// The `fjord` program without its process-wide set-up.
#pragma once

namespace fjord::cli {

// Runs the command line and returns the exit code. Never throws.
int run_program(int argc, const char* const* argv);

}  // namespace fjord::cli
