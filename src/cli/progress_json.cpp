// Paths need not be UTF-8, JSON must be: what is not is replaced.
#include "cli/progress_json.h"

#include <nlohmann/json.hpp>

#include <cmath>

namespace fjord::cli {
namespace {

using Json = nlohmann::ordered_json;

double to_milliseconds(double seconds) { return std::round(seconds * 1000.0) / 1000.0; }

std::string line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

std::string loading_line(const std::string& model) { return line({{"phase", "load"}, {"model", model}}); }

std::string progress_line(const Progress& progress, const Pace& pace) {
  const bool known = pace.steps_per_second > 0.0;
  return line({{"phase", phase_name(progress.phase)},
               {"step", progress.step},
               {"steps", progress.steps},
               {"seconds", to_milliseconds(progress.seconds)},
               {"eta_seconds", known ? Json(to_milliseconds(pace.eta_seconds)) : Json(nullptr)}});
}

std::string done_line(const Result& result, const std::vector<std::string>& files, const std::string& latents) {
  Json json = {{"phase", "done"},
               {"files", files},
               {"seed", result.request.seed},
               {"seconds", to_milliseconds(result.seconds)},
               {"warnings", result.warnings}};
  if (!latents.empty()) json["latents"] = latents;
  return line(json);
}

}  // namespace fjord::cli
