// Parses the command line, runs one command, turns every failure into one sentence and a code.
#include "cli/program.h"

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/output.h"

#include <fjord/version.h>

#include <CLI/CLI.hpp>

#include <new>
#include <sstream>

namespace fjord::cli {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  fjord txt2img --prompt \"a gold crown on red cloth\" --out crown.png\n"
    "  fjord replay crown.png\n"
    "  fjord inspect weights/tiny\n"
    "  fjord doctor\n"
    "`fjord COMMAND --help` shows a command's options.\n\n";

int complain(const std::string& message, int code) {
  write_message("fjord: " + printable(message) + "\n");
  return code;
}

// The parser stops for --help and --version by throwing as well.
int stop_parsing(const CLI::App& app, const CLI::ParseError& error, Output& output) {
  if (error.get_exit_code() == 0) {
    std::ostringstream out;
    app.exit(error, out, out);
    output.write(out.str());
    output.check();
    return kDone;
  }
  const std::string message = error.what();
  throw UsageError(message.substr(0, message.find('\n')) + " (see fjord --help)");
}

int parse_and_run(int argc, const char* const* argv) {
  CLI::App app("fjord makes pictures with Stable-Diffusion-type models.", "fjord");
  Action action;
  Output output;
  app.set_version_flag("--version", std::string("fjord ") + version(), "Print the version and exit");
  app.require_subcommand(1);
  app.footer(kExamples + exit_code_help());
  add_txt2img_command(app, action);
  add_replay_command(app, action);
  add_inspect_command(app, action);
  add_doctor_command(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return stop_parsing(app, error, output);
  }
  action(output);
  output.check();
  return kDone;
}

}  // namespace

int run_program(int argc, const char* const* argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const UsageError& error) {
    return complain(error.what(), kUsage);
  } catch (const Error& error) {
    return complain(error.what(), exit_code(error.code()));
  } catch (const std::bad_alloc&) {
    write_message("fjord: out of memory\n");
    return kNoMemory;
  } catch (const std::exception& error) {
    return complain(std::string("internal error: ") + error.what(), kBug);
  }
}

}  // namespace fjord::cli
