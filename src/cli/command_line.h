// The program's options, behind an interface that keeps CLI11 (seconds of compile time) in one file.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fjord::cli {

// Reads the text of an option; may throw UsageError or Error. `option` is its name, for messages.
using ReadOption = std::function<void(const std::string& option, const std::string& text)>;

// One command and its options. Targets must outlive the parsing.
class CommandOptions {
 public:
  // A required argument without a name.
  void positional(const std::string& name, const std::string& help, std::string& target);
  void text(const std::string& name, const std::string& type, const std::string& help, std::string& target);
  void required_text(const std::string& name, const std::string& type, const std::string& help, std::string& target);
  // An option whose text `read` takes apart. CLI11's own numbers depend on the locale, so they are read by ours.
  void parsed(const std::string& name, const std::string& type, const std::string& help, ReadOption read);
  // The same for an option that may be given several times.
  void repeated(const std::string& name, const std::string& type, const std::string& help, ReadOption read);
  void flag(const std::string& name, const std::string& help, bool& target);

 private:
  friend class CommandLine;
  explicit CommandOptions(void* app) : app_(app) {}
  void* app_;  // CLI::App, owned by the CommandLine
};

class CommandLine {
 public:
  CommandLine(const std::string& description, const std::string& footer, const std::string& version);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // `chosen` is called at the end of parse() if this command was on the command line.
  CommandOptions add_command(const std::string& name, const std::string& help, const std::string& footer,
                             std::function<void()> chosen);

  // Returns the text to print if the user asked for help or the version, otherwise an empty one.
  // Throws UsageError, and what the options' readers throw.
  std::string parse(int argc, const char* const* argv);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace fjord::cli
