#include "core/check.h"

#include <cstdio>

namespace fjord {

std::string quoted(std::string_view text, size_t limit) {
  std::string out = "\"";
  for (const char c : text.substr(0, limit)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + (text.size() > limit ? "...\"" : "\"");
}

}  // namespace fjord
