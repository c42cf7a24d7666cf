// What the program prints: results on standard output, messages on standard error.
#pragma once

#include <string>
#include <string_view>

namespace fjord::cli {

// `text` with control characters escaped, so that a file's content cannot steer the terminal.
std::string printable(std::string_view text);
// The same between quotation marks, cut to 300 bytes.
std::string in_quotes(std::string_view text);

// Opens /dev/null for each of the descriptors 0, 1 and 2 that is closed: otherwise an output file could become one.
void keep_standard_descriptors_open();

// Standard output, written at once. A failure is remembered, and later writes do nothing.
class Output {
 public:
  void write(std::string_view text) noexcept;
  // Throws Error(kCannotWrite) if something was lost, except to a reader that closed its pipe early.
  void check() const;

 private:
  int error_ = 0;
};

// Writes to standard error; failures are ignored, since there is nowhere to report them.
void write_message(std::string_view text) noexcept;
// "fjord: warning: ..." on a line of its own.
void warn(std::string_view message);

}  // namespace fjord::cli
