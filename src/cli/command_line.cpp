// The only file that includes CLI11.
#include "cli/command_line.h"

#include "cli/exit_codes.h"

#include <CLI/CLI.hpp>

#include <sstream>
#include <utility>

namespace fjord::cli {
namespace {

CLI::App& parser_of(void* app) { return *static_cast<CLI::App*>(app); }

}  // namespace

struct CommandLine::Parser {
  CLI::App app;
};

void CommandOptions::positional(const std::string& name, const std::string& help, std::string& target) {
  parser_of(app_).add_option(name, target, help)->required()->type_name("");
}

void CommandOptions::text(const std::string& name, const std::string& type, const std::string& help,
                          std::string& target) {
  parser_of(app_).add_option(name, target, help)->type_name(type);
}

void CommandOptions::required_text(const std::string& name, const std::string& type, const std::string& help,
                                   std::string& target) {
  parser_of(app_).add_option(name, target, help)->type_name(type)->required();
}

void CommandOptions::parsed(const std::string& name, const std::string& type, const std::string& help,
                            ReadOption read) {
  parser_of(app_)
      .add_option_function<std::string>(
          name, [name, read = std::move(read)](const std::string& text) { read(name, text); }, help)
      ->type_name(type);
}

void CommandOptions::repeated(const std::string& name, const std::string& type, const std::string& help,
                              ReadOption read) {
  const auto read_all = [name, read = std::move(read)](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) read(name, text);
  };
  parser_of(app_)
      .add_option_function<std::vector<std::string>>(name, read_all, help)
      ->type_name(type)
      ->allow_extra_args(false);
}

void CommandOptions::flag(const std::string& name, const std::string& help, bool& target) {
  parser_of(app_).add_flag(name, target, help);
}

CommandLine::CommandLine(const std::string& description, const std::string& footer, const std::string& version)
    : parser_(new Parser{CLI::App(description, "fjord")}) {
  parser_->app.set_version_flag("--version", version, "Print the version and exit");
  parser_->app.require_subcommand(1);
  parser_->app.footer(footer);
}

CommandLine::~CommandLine() = default;

CommandOptions CommandLine::add_command(const std::string& name, const std::string& help, const std::string& footer,
                                        std::function<void()> chosen) {
  CLI::App& command = *parser_->app.add_subcommand(name, help);
  command.footer(footer);
  command.callback(std::move(chosen));
  return CommandOptions(&command);
}

std::string CommandLine::parse(int argc, const char* const* argv) {
  try {
    parser_->app.parse(argc, argv);
    return "";
  } catch (const CLI::ParseError& error) {
    // The parser stops for --help and --version by throwing as well.
    if (error.get_exit_code() == 0) {
      std::ostringstream out;
      parser_->app.exit(error, out, out);
      return out.str();
    }
    const std::string message = error.what();
    throw UsageError(message.substr(0, message.find('\n')) + " (see fjord --help)");
  }
}

}  // namespace fjord::cli
