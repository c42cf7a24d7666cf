// Parses the command line, runs one command, turns every failure into one sentence and a code.
#include "cli/program.h"

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/output.h"

#include <fjord/version.h>

#include <new>
#include <string>

namespace fjord::cli {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  fjord txt2img --prompt \"a gold crown on red cloth\" --out crown.png\n"
    "  fjord img2img --image sketch.png --prompt \"a gold crown on red cloth\" --out crown.png\n"
    "  fjord inpaint --image room.png --mask hole.png --prompt \"a blue cup\" --out cup.png\n"
    "  fjord replay crown.png\n"
    "  fjord inspect weights/tiny\n"
    "  fjord doctor\n"
    "`fjord COMMAND --help` shows a command's options.\n\n";

ExitCode complain(const std::string& message, ExitCode code) {
  write_message("fjord: " + printable(message) + "\n");
  return code;
}

void parse_and_act(int argc, const char* const* argv) {
  CommandLine line("fjord makes pictures with Stable-Diffusion-type models.", kExamples + exit_code_help(),
                   std::string("fjord ") + version());
  Action action;
  Output output;
  add_txt2img_command(line, action);
  add_img2img_command(line, action);
  add_inpaint_command(line, action);
  add_replay_command(line, action);
  add_inspect_command(line, action);
  add_quantize_command(line, action);
  add_convert_command(line, action);
  add_doctor_command(line, action);
  output.write(line.parse(argc, argv));
  if (action) action(output);
  output.check();
}

}  // namespace

int run_program(int argc, const char* const* argv) {
  try {
    parse_and_act(argc, argv);
    return kDone;
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
