// The one place where failures become exit codes.
#include "cli/exit_codes.h"

namespace fjord::cli {

ExitCode exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kBadFile:
    case ErrorCode::kUnsupported:
    case ErrorCode::kNonFinite: return kBadInput;
    case ErrorCode::kNotFound: return kMissing;
    case ErrorCode::kDeviceUnavailable: return kNoDevice;
    case ErrorCode::kOutOfMemory: return kNoMemory;
    case ErrorCode::kCannotWrite: return kUnwritable;
    case ErrorCode::kCancelled: return kInterrupted;
    case ErrorCode::kInternal: return kBug;
  }
  return kBug;
}

std::string exit_code_help() {
  return "Exit codes:\n"
         "    0  done\n"
         "   64  usage: the command line is wrong\n"
         "   65  bad input file or parameter\n"
         "   66  file, folder or model not found\n"
         "   69  device unavailable\n"
         "   70  internal error\n"
         "   73  cannot write the output\n"
         "   75  out of memory\n"
         "  130  interrupted (Ctrl-C or SIGTERM); no partial file remains";
}

}  // namespace fjord::cli
