// fjord doctor: what this machine offers, for bug reports.
#include "cli/commands.h"
#include "cli/facts_text.h"

#include <fjord/version.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>

namespace fjord::cli {

void add_doctor_command(CLI::App& app, Action& action) {
  const auto as_json = std::make_shared<bool>(false);
  CLI::App& command = *app.add_subcommand("doctor", "Show versions, devices, LibTorch, OpenMP and limits");
  command.add_flag("--json", *as_json, "Print JSON");
  command.callback([as_json, &action] {
    action = [as_json](Output& output) {
      const Facts facts = system_facts();
      if (!*as_json) {
        output.write(facts_text(facts, ""));
        return;
      }
      output.write(facts_json(facts).dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
    };
  });
}

}  // namespace fjord::cli
