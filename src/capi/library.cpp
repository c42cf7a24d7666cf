#include "capi/objects.h"

#include <fjord/inspect.h>
#include <fjord/version.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace fjord::capi {

void LogSink::write(int level, const std::string& message) const noexcept {
  if (function == nullptr) return;
  const InCallback inside;
  try {
    function(user, level, message.c_str());
  } catch (...) {  // a log has nobody to tell
  }
}

fjord_progress to_c(const Progress& progress) {
  fjord_progress out = FJORD_INIT(fjord_progress);
  out.phase = static_cast<std::int32_t>(progress.phase);
  out.step = progress.step;
  out.steps = progress.steps;
  out.seconds = progress.seconds;
  return out;
}

namespace {

bool has_cuda() noexcept {
  try {
    for (const auto& [name, value] : system_facts()) {
      if (name == "devices") return value.find("cuda") != std::string::npos;
    }
  } catch (...) {  // then there is none that works
  }
  return false;
}

}  // namespace
}  // namespace fjord::capi

const char* fjord_version() { return fjord::version(); }

int32_t fjord_has_feature(const char* name) {
  constexpr std::array<std::string_view, 7> kFeatures = {"cpu",        "jobs",           "packing",       "time_slices",
                                                         "embeddings", "memory_loading", "latent_preview"};
  if (name == nullptr) return 0;
  if (std::string_view(name) == "cuda") return fjord::capi::has_cuda() ? 1 : 0;
  return std::find(kFeatures.begin(), kFeatures.end(), name) != kFeatures.end() ? 1 : 0;
}
