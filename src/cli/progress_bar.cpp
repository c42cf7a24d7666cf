// The bar uses a carriage return and blanks only: any terminal can do that.
#include "cli/progress_bar.h"

#include "cli/exit_codes.h"
#include "cli/numbers.h"
#include "cli/progress_json.h"

#include <sys/ioctl.h>
#include <unistd.h>
#include <algorithm>

namespace fjord::cli {
namespace {

constexpr int kUsualColumns = 80;
constexpr int kLongestBar = 40;

int terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsualColumns;
}

std::string padded(const std::string& text, size_t width) {
  return text.size() >= width ? text : std::string(width - text.size(), ' ') + text;
}

// What stands right of the bar.
std::string figures(const Progress& progress, const Pace& pace) {
  const int percent = static_cast<int>(100LL * progress.step / std::max(progress.steps, 1));
  std::string text = padded(std::to_string(percent), 4) + "%";
  if (pace.steps_per_second > 0.0) {
    text += "  " + format_fixed(pace.steps_per_second, pace.steps_per_second < 10.0 ? 2 : 1) + " it/s";
    text += "  ETA " + clock_text(pace.eta_seconds);
  }
  return text;
}

}  // namespace

ProgressMode parse_progress_mode(const std::string& text) {
  if (text == "auto") return ProgressMode::kAuto;
  if (text == "bar") return ProgressMode::kBar;
  if (text == "json") return ProgressMode::kJson;
  if (text == "none") return ProgressMode::kNone;
  throw UsageError("--progress: expected auto, bar, json or none, got " + in_quotes(text));
}

Pace pace_of(const Progress& progress, double denoise_start) {
  const double elapsed = progress.seconds - denoise_start;
  if (progress.step < 1 || elapsed <= 0.0) return {};
  const double seconds_per_step = elapsed / progress.step;
  return {1.0 / seconds_per_step, seconds_per_step * (progress.steps - progress.step)};
}

std::string phase_name(Phase phase) {
  switch (phase) {
    case Phase::kEncodePrompt: return "encode_prompt";
    case Phase::kDenoise: return "denoise";
    case Phase::kDecode: return "decode";
    case Phase::kDone: return "done";
  }
  return "unknown";
}

std::string clock_text(double seconds) {
  // Written so that a NaN counts as none.
  const auto total = seconds > 0.0 ? static_cast<long long>(std::min(seconds + 0.5, 3.6e8)) : 0;
  const auto two = [](long long value) { return std::string(value < 10 ? "0" : "") + std::to_string(value); };
  const std::string minutes_and_seconds = two(total / 60 % 60) + ":" + two(total % 60);
  if (total >= 3600) return std::to_string(total / 3600) + ":" + minutes_and_seconds;
  return total < 600 ? minutes_and_seconds.substr(1) : minutes_and_seconds;
}

std::string bar_text(const Progress& progress, const Pace& pace, int columns) {
  const std::string steps = std::to_string(progress.steps);
  const std::string left =
      phase_name(progress.phase) + " " + padded(std::to_string(progress.step), steps.size()) + "/" + steps;
  const std::string right = figures(progress, pace);
  const int room = columns - static_cast<int>(left.size() + right.size()) - 3;
  std::string text = left;
  if (room >= 5) {
    const int length = std::min(room, kLongestBar);
    const int full = static_cast<int>(static_cast<long long>(length) * progress.step / std::max(progress.steps, 1));
    text +=
        " [" + std::string(static_cast<size_t>(full), '#') + std::string(static_cast<size_t>(length - full), '-') + "]";
  }
  text += right;
  return text.substr(0, static_cast<size_t>(std::max(columns, 0)));
}

ProgressReporter::ProgressReporter(ProgressMode mode, Output& output) : mode_(mode), output_(output) {
  if (mode == ProgressMode::kAuto) mode_ = isatty(STDERR_FILENO) == 1 ? ProgressMode::kBar : ProgressMode::kJson;
}

ProgressReporter::~ProgressReporter() { clear(); }

void ProgressReporter::loading(const std::string& model) {
  if (mode_ == ProgressMode::kBar) draw("loading " + printable(model));
  if (mode_ == ProgressMode::kJson) output_.write(loading_line(model));
}

void ProgressReporter::report(const Progress& progress) {
  if (progress.step == 0) denoise_start_ = progress.seconds;
  // The end is told by the line that says where the pictures are.
  if (progress.phase == Phase::kDone) return;
  const Pace pace = pace_of(progress, denoise_start_);
  if (mode_ == ProgressMode::kBar) draw(bar_text(progress, pace, terminal_columns() - 1));
  if (mode_ == ProgressMode::kJson) output_.write(progress_line(progress, pace));
}

void ProgressReporter::clear() {
  if (drawn_ > 0) write_message("\r" + std::string(drawn_, ' ') + "\r");
  drawn_ = 0;
}

void ProgressReporter::draw(const std::string& text) {
  const std::string shown = text.substr(0, static_cast<size_t>(terminal_columns() - 1));
  const size_t rest = drawn_ > shown.size() ? drawn_ - shown.size() : 0;
  write_message("\r" + shown + std::string(rest, ' '));
  drawn_ = std::max(drawn_, shown.size());
}

}  // namespace fjord::cli
