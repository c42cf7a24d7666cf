// The only file that includes CLI11.
#include "cli/command_line.h"

#include "cli/exit_codes.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <sstream>
#include <utility>

namespace fjord::cli {
namespace {

CLI::App& parser_of(void* app) { return *static_cast<CLI::App*>(app); }

// The arguments without the program's name, last one first, as CLI11 takes them. "--name=" becomes "--name" and an
// empty text, which CLI11 would otherwise take for a missing one.
std::vector<std::string> reversed_arguments(int argc, const char* const* argv) {
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    const bool empty_value = argument.starts_with("--") && argument.find('=') + 1 == argument.size();
    if (empty_value) argument.pop_back();
    arguments.push_back(argument);
    if (empty_value) arguments.emplace_back();
  }
  std::reverse(arguments.begin(), arguments.end());
  return arguments;
}

void check_command(const CLI::App& app, const std::string& name) {
  std::string known;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == name) return;
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  throw UsageError("expected one of the commands " + known + ", got \"" + name + "\" (see fjord --help)");
}

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
  std::vector<std::string> arguments = reversed_arguments(argc, argv);
  if (!arguments.empty() && !arguments.back().starts_with("-")) check_command(parser_->app, arguments.back());
  try {
    parser_->app.parse(arguments);
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
