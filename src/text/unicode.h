// Characters: UTF-8 in and out, classes and lower case, each equal to the reference tokenizer's.
#pragma once

#include <string>
#include <string_view>

namespace fjord::text {

// Throws Error(kInvalidArgument), naming the byte, for text that is no valid UTF-8 (overlong forms, surrogates and
// values above U+10FFFF included). NUL is a character like any other.
std::u32string decode_utf8(std::string_view text);
void append_utf8(char32_t character, std::string& out);

bool is_letter(char32_t character);  // \p{L}
bool is_number(char32_t character);  // \p{N}
bool is_space(char32_t character);   // \s
// Whether NFC leaves this character alone although newer Unicode versions combine it.
bool is_inert(char32_t character);

// The lower case of one character, without regard to its neighbours (no final sigma); one or two characters.
void append_lower(char32_t character, std::u32string& out);

}  // namespace fjord::text
