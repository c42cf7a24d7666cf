// fail() and check(): one sentence made of its parts, thrown as fjord::Error.
//   check(steps > 0, ErrorCode::kInvalidArgument, "steps must be at least 1, got ", steps);
#pragma once

#include <fjord/error.h>

#include <sstream>
#include <string>
#include <string_view>

namespace fjord {

// `text` with control characters escaped and cut to `limit` bytes: for values of the user inside messages.
std::string quoted(std::string_view text, size_t limit = 120);
// Exact matches, so that argument-dependent lookup does not prefer std::quoted.
inline std::string quoted(const std::string& text, size_t limit = 120) { return quoted(std::string_view(text), limit); }
inline std::string quoted(const char* text, size_t limit = 120) { return quoted(std::string_view(text), limit); }

template <typename... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  (out << ... << parts);
  return out.str();
}

template <typename... Parts>
[[noreturn]] void fail(ErrorCode code, const Parts&... parts) {
  throw Error(code, concat(parts...));
}

template <typename... Parts>
void check(bool condition, ErrorCode code, const Parts&... parts) {
  if (!condition) fail(code, parts...);
}

}  // namespace fjord
