// fjord doctor: what this machine offers, for bug reports; and which kernels a model's attention would use on a GPU.
#include "cli/attention_text.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/facts_text.h"
#include "cli/numbers.h"
#include "cli/render.h"

#include <memory>

namespace fjord::cli {
namespace {

struct DoctorOptions {
  bool json = false;
  bool attention = false;
  AttentionQuery query{.model = "weights/tiny"};
};

// "1024x768": width, height.
void parse_size(const std::string& option, const std::string& text, AttentionQuery& query) {
  const auto cross = text.find('x');
  if (cross == std::string::npos) throw UsageError(option + ": expected WIDTHxHEIGHT, got \"" + text + "\"");
  query.width = parse_integer(option, text.substr(0, cross), 1);
  query.height = parse_integer(option, text.substr(cross + 1), 1);
}

void run_doctor(const DoctorOptions& options, Output& output) {
  if (!options.attention) {
    const Facts facts = system_facts();
    return output.write(options.json ? facts_json(facts) : facts_text(facts, ""));
  }
  const auto layers = attention_layers(options.query);
  output.write(options.json ? attention_json(layers) : attention_text(layers));
}

}  // namespace

void add_doctor_command(CommandLine& line, Action& action) {
  const auto options = std::make_shared<DoctorOptions>();
  CommandOptions command =
      line.add_command("doctor", "Show versions, devices, LibTorch, OpenMP and limits", "",
                       [options, &action] { action = [options](Output& output) { run_doctor(*options, output); }; });
  command.flag("--json", "Print JSON", options->json);
  command.flag("--attention", "Show which kernel each attention layer of a model would use on a GPU, and why",
               options->attention);
  AttentionQuery& query = options->query;
  command.text("--model", "PATH", "With --attention: model folder (default: weights/tiny)", query.model);
  command.text("--gpu", "SM", "With --attention: a GPU by its architecture, e.g. sm_90 (default: this machine's best)",
               query.gpu);
  command.parsed("--size", "WxH", "With --attention: the picture's width and height (default: the model's)",
                 [&query](const std::string& option, const std::string& text) { parse_size(option, text, query); });
  command.parsed(
      "--images", "N", "With --attention: pictures at once (default: 1)",
      [&query](const std::string& option, const std::string& text) { query.images = parse_integer(option, text, 1); });
  command.parsed("--dtype", "TYPE", "With --attention: float32, float16 or bfloat16 (default: bfloat16)",
                 [&query](const std::string&, const std::string& text) { query.precision = parse_precision(text); });
  command.text("--force", "NAME",
               "With --attention: the kernel that LoadOptions::attention would force (default: auto)", query.attention);
}

}  // namespace fjord::cli
