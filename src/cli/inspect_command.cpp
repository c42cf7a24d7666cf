// fjord inspect: what is in a model folder or a safetensors file.
#include "cli/commands.h"
#include "cli/facts_text.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>

namespace fjord::cli {
namespace {

constexpr char kFooter[] =
    "Only headers and configurations are read, so this is fast for a model of any size.\n\n"
    "Examples:\n"
    "  fjord inspect weights/tiny\n"
    "  fjord inspect weights/tiny/unet/diffusion_pytorch_model.safetensors --tensors\n"
    "  fjord inspect weights/tiny --json";

struct InspectOptions {
  std::string path;
  bool json = false;
  bool tensors = false;
};

void run_inspect(const InspectOptions& options, Output& output) {
  const ModelReport report = inspect(options.path);
  if (!options.json) {
    output.write(report_text(report, options.tensors));
    return;
  }
  const auto json = report_json(report, options.tensors);
  output.write(json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace

void add_inspect_command(CLI::App& app, Action& action) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App& command = *app.add_subcommand("inspect", "Show what is in a model folder or a safetensors file");
  command.add_option("PATH", options->path, "Model folder, component folder or safetensors file")
      ->required()
      ->type_name("");
  command.add_flag("--json", options->json, "Print JSON");
  command.add_flag("--tensors", options->tensors, "List every tensor with its type and shape");
  command.footer(kFooter);
  command.callback([options, &action] { action = [options](Output& output) { run_inspect(*options, output); }; });
}

}  // namespace fjord::cli
