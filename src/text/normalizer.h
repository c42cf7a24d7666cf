// The reference tokenizer's normalizer: NFC, then every run of spaces to one space, then lower case.
#pragma once

#include <string>
#include <string_view>

namespace fjord::text {

// Canonical composition (NFC, https://www.unicode.org/reports/tr15/) in time n log n for any text.
std::u32string compose(std::u32string_view text);

// All three steps. Lower case comes last and is not composed again, as in the reference.
std::u32string normalize(std::u32string_view text);

}  // namespace fjord::text
