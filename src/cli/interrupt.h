// Ctrl-C and SIGTERM as a flag that a running request looks at between its steps.
#pragma once

namespace fjord::cli {

// From now on the first SIGINT, SIGTERM or SIGHUP only sets the flag; a second one ends the program at once.
// Signals that the parent process ignores stay ignored. SIGPIPE and SIGXFSZ are ignored: writes report a
// closed pipe and the file size limit instead.
void catch_interrupts();

bool interrupted() noexcept;

// Throws Error(kCancelled) if the flag is set.
void throw_if_interrupted();

}  // namespace fjord::cli
