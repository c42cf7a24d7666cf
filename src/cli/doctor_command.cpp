// fjord doctor: what this machine offers, for bug reports.
#include "cli/commands.h"
#include "cli/facts_text.h"

#include <memory>

namespace fjord::cli {

void add_doctor_command(CommandLine& line, Action& action) {
  const auto json = std::make_shared<bool>(false);
  CommandOptions options =
      line.add_command("doctor", "Show versions, devices, LibTorch, OpenMP and limits", "", [json, &action] {
        action = [json](Output& output) {
          const Facts facts = system_facts();
          output.write(*json ? facts_json(facts) : facts_text(facts, ""));
        };
      });
  options.flag("--json", "Print JSON", *json);
}

}  // namespace fjord::cli
