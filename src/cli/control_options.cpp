#include "cli/control_options.h"

#include "cli/exit_codes.h"
#include "cli/numbers.h"
#include "cli/output.h"

#include <utility>

namespace fjord::cli {
namespace {

// Takes ":SCALE" or ":SCALE:BEGIN:END" off the end, if there is one.
void take_numbers(const std::string& option, std::string& text, ControlNetFile& file) {
  std::vector<double> last_first;
  while (last_first.size() < 3) {
    const auto number = take_number(text);
    if (!number) break;
    last_first.push_back(*number);
  }
  if (last_first.size() == 2) throw UsageError(option + ": expected SCALE or SCALE:BEGIN:END, got two numbers");
  if (last_first.empty()) return;
  file.scale = last_first.back();
  if (last_first.size() == 1) return;
  file.begin = last_first[1];
  file.end = last_first[0];
}

// MODEL=PICTURE.png with numbers behind it.
ControlNetFile parse_control(const std::string& option, std::string text) {
  ControlNetFile file;
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw UsageError(option + ": expected MODEL=PICTURE.png, got " + in_quotes(text));
  }
  file.model.path = text.substr(0, equals);
  text.erase(0, equals + 1);
  take_numbers(option, text, file);
  file.picture.path = text;
  return file;
}

// MODEL with numbers behind it.
ControlNetFile parse_inpaint_control(const std::string& option, std::string text) {
  ControlNetFile file;
  take_numbers(option, text, file);
  if (text.empty()) throw UsageError(option + ": expected MODEL");
  file.model.path = text;
  return file;
}

}  // namespace

void add_control_options(CommandOptions& options, ControlFiles& files, Request& request) {
  options.repeated(
      "--control", "MODEL=PICTURE.png[:SCALE[:BEGIN:END]]",
      "A ControlNet or T2I-Adapter (folder or safetensors file) and the picture that it sees; how loud it "
      "is, and from which to which fraction of the steps (default: 1:0:1); may be repeated",
      [&files](const std::string& option, const std::string& text) { files.push_back(parse_control(option, text)); });
  options.flag("--guess-mode", "ControlNets guess what the picture shows; for an empty prompt and guidance 3 to 5",
               request.guess_mode);
}

void add_inpaint_control_option(CommandOptions& options, ControlFiles& files) {
  options.repeated("--inpaint-control", "MODEL[:SCALE[:BEGIN:END]]",
                   "A ControlNet that was trained to inpaint: it sees the picture without the painted part",
                   [&files](const std::string& option, const std::string& text) {
                     files.push_back(parse_inpaint_control(option, text));
                   });
}

std::vector<ControlUse> load_controls(const ControlFiles& files, const Pipeline& pipeline) {
  std::vector<ControlUse> out;
  for (const auto& file : files) {
    ControlUse use;
    use.control = pipeline.load_control(file.model.path);
    for (const std::string& note : use.control.info().notes) warn(note);
    use.hide_painted = file.picture.path.empty();
    if (!use.hide_painted) use.image = read_png(file.picture.path);
    use.scale = file.scale;
    use.begin = file.begin;
    use.end = file.end;
    out.push_back(std::move(use));
  }
  return out;
}

ControlFiles with_fingerprints(ControlFiles files) {
  for (auto& file : files) {
    note_fingerprint(file.model);
    if (!file.picture.path.empty()) note_fingerprint(file.picture);
  }
  return files;
}

}  // namespace fjord::cli
