// Between UTF-8 and Latin-1 (ISO 8859-1), the encoding of PNG keywords and of tEXt and zTXt chunks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fjord {

// True if `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

// Latin-1 bytes of UTF-8 `text`; nothing if it is malformed or holds a character above U+00FF.
std::optional<std::string> utf8_to_latin1(std::string_view text);

std::string latin1_to_utf8(std::string_view text);

}  // namespace fjord
