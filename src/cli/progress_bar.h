// Progress of a request: a bar on a terminal, lines of JSON elsewhere.
#pragma once

#include "cli/output.h"

#include <fjord/progress.h>

#include <string>

namespace fjord::cli {

enum class ProgressMode { kAuto, kBar, kJson, kNone };

// "auto", "bar", "json" or "none"; throws UsageError for another text.
ProgressMode parse_progress_mode(const std::string& text);

// How fast the denoising steps go; zero while unknown.
struct Pace {
  double steps_per_second = 0.0;
  double eta_seconds = 0.0;  // until the last step is done
};

// The pace of a request whose first step began `denoise_start` seconds after the request did.
Pace pace_of(const Progress& progress, double denoise_start);

// "denoise", "encode_prompt", ...
std::string phase_name(Phase phase);

// "denoise   3/20 [###------------------]  15%  2.1 it/s  ETA 0:08", at most `columns` characters.
std::string bar_text(const Progress& progress, const Pace& pace, int columns);

// 0:08, 12:34, 1:02:03.
std::string clock_text(double seconds);

// Draws the bar on standard error, or prints JSON lines to `output`. Resolves kAuto: a bar if standard error is a
// terminal, JSON lines otherwise.
class ProgressReporter {
 public:
  ProgressReporter(ProgressMode mode, Output& output);
  // Erases the bar.
  ~ProgressReporter();
  ProgressReporter(const ProgressReporter&) = delete;
  ProgressReporter& operator=(const ProgressReporter&) = delete;

  ProgressMode mode() const { return mode_; }
  void loading(const std::string& model);
  void report(const Progress& progress);
  // Removes the bar, so that another line can be printed. Later reports draw it again.
  void clear();

 private:
  void draw(const std::string& text);

  ProgressMode mode_;
  Output& output_;
  double denoise_start_ = 0.0;
  size_t drawn_ = 0;  // characters of the bar on the screen
};

}  // namespace fjord::cli
