// Decoding is left to utf8proc, which accepts exactly the well-formed sequences of the Unicode standard.
#include "image/latin1.h"

#include <utf8proc.h>

namespace fjord {
namespace {

// Reads one character at the front of `text` and removes it; -1 where the bytes are malformed.
utf8proc_int32_t take_character(std::string_view& text) {
  utf8proc_int32_t character = -1;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const utf8proc_ssize_t used = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size()), &character);
  if (used <= 0) return -1;
  text.remove_prefix(static_cast<size_t>(used));
  return character;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (take_character(text) < 0) return false;
  }
  return true;
}

std::optional<std::string> utf8_to_latin1(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const utf8proc_int32_t character = take_character(text);
    if (character < 0 || character > 0xff) return std::nullopt;
    out += static_cast<char>(static_cast<unsigned char>(character));
  }
  return out;
}

std::string latin1_to_utf8(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0 | (byte >> 6));
      out += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return out;
}

}  // namespace fjord
