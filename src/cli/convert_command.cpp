// fjord convert: a single file as a folder in diffusers' layout, and the way back.
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/model_files_options.h"
#include "cli/numbers.h"
#include "cli/render.h"

#include <fjord/convert.h>
#include <nlohmann/json.hpp>

#include <unistd.h>
#include <memory>

namespace fjord::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kFooter[] =
    "A safetensors file in the original layout of Stable Diffusion 1.x, 2.x or XL becomes a folder in diffusers'\n"
    "layout; a folder becomes a single file. docs/checkpoints.md says what is recognised and how. Numbers stay as "
    "they\n"
    "are unless --dtype says otherwise.\n\n"
    "Examples:\n"
    "  fjord convert model.safetensors model --tokenizer bpe_simple_vocab_16e6.txt.gz\n"
    "  fjord convert model model-half.safetensors --dtype float16";

constexpr std::uint64_t kMegabyte = 1000000;

struct Arguments {
  std::string source, destination;
  ConvertOptions options;
  bool json = false;
};

std::string text_of(const ConvertReport& report, const std::string& destination) {
  return "wrote " + in_quotes(destination) + ": " + report.family + " as a " +
         (report.is_folder ? "folder" : "single file") + ", " + std::to_string(report.tensors) + " tensors, " +
         std::to_string((report.bytes + kMegabyte / 2) / kMegabyte) + " MB\n";
}

std::string json_of(const ConvertReport& report) {
  return Json{{"family", report.family},
              {"is_folder", report.is_folder},
              {"tensors", report.tensors},
              {"bytes", report.bytes},
              {"notes", report.notes}}
             .dump() +
         "\n";
}

void run(Arguments arguments, Output& output) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  arguments.options.progress = [terminal](std::uint64_t done, std::uint64_t total) {
    if (terminal) {
      write_message("\rconvert " + std::to_string(done / kMegabyte) + "/" + std::to_string(total / kMegabyte) +
                    " MB\033[K");
    }
    return !interrupted();
  };
  const auto clear = [terminal] { terminal ? write_message("\r\033[K") : void(); };
  try {
    const auto report = convert(arguments.source, arguments.destination, arguments.options);
    clear();
    for (const auto& note : report.notes) warn(note);
    output.write(arguments.json ? json_of(report) : text_of(report, arguments.destination));
  } catch (...) {
    clear();
    throw;
  }
}

}  // namespace

void add_convert_command(CommandLine& line, Action& action) {
  const auto arguments = std::make_shared<Arguments>();
  auto& convert_options = arguments->options;
  CommandOptions options =
      line.add_command("convert", "Write a single file as a model folder, or a folder as a single file", kFooter,
                       [arguments, &action] { action = [arguments](Output& output) { run(*arguments, output); }; });
  options.positional("SOURCE", "Single safetensors file, or model folder", arguments->source);
  options.positional("DESTINATION", "Folder or file to write; it must not exist", arguments->destination);
  options.parsed("--dtype", "TYPE", "float32, bfloat16, float16, or auto: every tensor as it is (default: auto)",
                 [&convert_options](const std::string&, const std::string& text) {
                   convert_options.precision = parse_precision(text);
                 });
  options.parsed("--shard-size", "MB",
                 "Split larger weights of a folder's part into files of this size (default: never)",
                 [&convert_options](const std::string& option, const std::string& text) {
                   convert_options.shard_size = kMegabyte * static_cast<std::uint64_t>(parse_integer(option, text, 1));
                 });
  add_model_files_options(options, convert_options.files);
  options.flag("--json", "Print JSON", arguments->json);
}

}  // namespace fjord::cli
