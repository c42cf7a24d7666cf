// fjord quantize: a copy of a model folder with int8 or int4 weights.
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"

#include <fjord/quantize.h>

#include <unistd.h>
#include <memory>

namespace fjord::cli {
namespace {

constexpr char kFooter[] =
    "The U-Net's matrices and kernels become int8 with a factor for every row, or int4 with one for every 32 numbers;\n"
    "docs/quantization.md says what that costs in quality and brings in speed and memory. The result loads as any\n"
    "other model.\n\n"
    "Examples:\n"
    "  fjord quantize weights/tiny /tmp/tiny-int8\n"
    "  fjord quantize weights/tiny /tmp/tiny-int4 --bits 4\n"
    "  fjord txt2img --model /tmp/tiny-int8 --prompt \"a gold crown on red cloth\" --out crown.png";

struct Arguments {
  std::string source, destination;
  QuantizeOptions options;
  bool json = false;
};

std::string megabytes(std::uint64_t bytes) { return std::to_string((bytes + 500000) / 1000000) + " MB"; }

std::string text_of(const QuantizeReport& report, const std::string& destination) {
  return "wrote " + in_quotes(destination) + ": " + std::to_string(report.quantized) +
         " tensors of the U-Net quantized, " + std::to_string(report.kept) + " as they were; " +
         megabytes(report.bytes_before) + " became " + megabytes(report.bytes_after) + "\n";
}

std::string json_of(const QuantizeReport& report) {
  return "{\"quantized\": " + std::to_string(report.quantized) + ", \"kept\": " + std::to_string(report.kept) +
         ", \"bytes_before\": " + std::to_string(report.bytes_before) +
         ", \"bytes_after\": " + std::to_string(report.bytes_after) + "}\n";
}

void run(Arguments arguments, Output& output) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  arguments.options.progress = [terminal](int done, int total) {
    if (terminal) write_message("\rquantize " + std::to_string(done) + "/" + std::to_string(total) + "\033[K");
    return !interrupted();
  };
  const auto clear = [terminal] { terminal ? write_message("\r\033[K") : void(); };
  try {
    const auto report = quantize(arguments.source, arguments.destination, arguments.options);
    clear();
    output.write(arguments.json ? json_of(report) : text_of(report, arguments.destination));
  } catch (...) {
    clear();
    throw;
  }
}

bool read_inputs(const std::string& option, const std::string& text) {
  if (text != "int8" && text != "unchanged") {
    throw UsageError(option + " must be int8 or unchanged, got " + in_quotes(text));
  }
  return text == "int8";
}

int read_bits(const std::string& option, const std::string& text) {
  if (text != "8" && text != "4") throw UsageError(option + " must be 8 or 4, got " + in_quotes(text));
  return text == "8" ? 8 : 4;
}

std::string keep_help() {
  std::string kept;
  for (const char* part : kQuantizeKeeps) kept += std::string(part) + ", ";
  return "Leave weights whose name contains PART as they are; may be given several times [" + kept +
         "last residual block]";
}

}  // namespace

void add_quantize_command(CommandLine& line, Action& action) {
  const auto arguments = std::make_shared<Arguments>();
  CommandOptions options =
      line.add_command("quantize", "Write a copy of a model folder with int8 or int4 weights", kFooter,
                       [arguments, &action] { action = [arguments](Output& output) { run(*arguments, output); }; });
  options.positional("SOURCE", "Model folder", arguments->source);
  options.positional("DESTINATION", "Folder to write; it must not exist", arguments->destination);
  options.parsed("--bits", "N", "Bits of a weight: 8, or 4 for the least memory [8]",
                 [arguments](const std::string& option, const std::string& text) {
                   arguments->options.bits = read_bits(option, text);
                 });
  options.parsed("--inputs", "NAME",
                 "int8: linear layers round their inputs too, which is faster; unchanged: only weights are rounded "
                 "[int8 with 8 bits, unchanged with 4]",
                 [arguments](const std::string& option, const std::string& text) {
                   arguments->options.round_inputs = read_inputs(option, text);
                 });
  options.repeated("--keep", "PART", keep_help(), [arguments](const std::string& option, const std::string& text) {
    if (text.empty()) throw UsageError(option + " must not be empty");
    auto& keep = arguments->options.keep;
    if (!keep) keep.emplace();
    keep->push_back(text);
  });
  options.flag("--json", "Print JSON", arguments->json);
}

}  // namespace fjord::cli
