// fjord inspect: what is in a model folder or a safetensors file.
#include "cli/commands.h"
#include "cli/facts_text.h"
#include "cli/model_files_options.h"

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
  ModelFiles files;
};

}  // namespace

void add_inspect_command(CommandLine& line, Action& action) {
  const auto inspect_options = std::make_shared<InspectOptions>();
  CommandOptions options = line.add_command(
      "inspect", "Show what is in a model folder or a safetensors file", kFooter, [inspect_options, &action] {
        action = [inspect_options](Output& output) {
          const auto& [path, json, tensors, files] = *inspect_options;
          output.write(json ? report_json(inspect(path, files), tensors) : report_text(inspect(path, files), tensors));
        };
      });
  options.positional("PATH", "Model folder, component folder or safetensors file", inspect_options->path);
  options.flag("--json", "Print JSON", inspect_options->json);
  add_model_files_options(options, inspect_options->files);
  options.flag("--tensors", "List every tensor with its type and shape", inspect_options->tensors);
}

}  // namespace fjord::cli
