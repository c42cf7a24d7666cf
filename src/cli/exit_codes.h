// Exit codes of the program, as in <sysexits.h>; `fjord --help` lists them.
#pragma once

#include <fjord/error.h>

#include <stdexcept>
#include <string>

namespace fjord::cli {

enum ExitCode : int {
  kDone = 0,
  kUsage = 64,
  kBadInput = 65,
  kMissing = 66,
  kNoDevice = 69,
  kBug = 70,
  kUnwritable = 73,
  kNoMemory = 75,
  kInterrupted = 130,
};

// The command line itself is wrong: an option that does not exist, a number that is none.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

ExitCode exit_code(ErrorCode code);

// The table for --help, one code a line.
std::string exit_code_help();

}  // namespace fjord::cli
