// Binary search in the tables, and utf8proc for the encoding.
#include "text/unicode.h"

#include "core/check.h"
#include "text/unicode_tables.h"

#include <utf8proc.h>

#include <algorithm>

namespace fjord::text {
namespace {

constexpr char32_t kCapitalIWithDot = 0x130;

// The last entry that begins at or before `character`, or null.
template <typename Entry>
const Entry* entry_before(std::span<const Entry> table, char32_t character) {
  const auto after = std::upper_bound(table.begin(), table.end(), character,
                                      [](char32_t value, const Entry& entry) { return value < entry.first; });
  return after == table.begin() ? nullptr : &*(after - 1);
}

bool contains(std::span<const CodeRange> table, char32_t character) {
  const CodeRange* range = entry_before(table, character);
  return range != nullptr && character <= range->last;
}

}  // namespace

std::u32string decode_utf8(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t code = 0;
    const utf8proc_ssize_t used = utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    check(used > 0, ErrorCode::kInvalidArgument, "expected UTF-8 text, got an invalid sequence at byte ", at);
    out += static_cast<char32_t>(code);
    at += static_cast<size_t>(used);
  }
  return out;
}

void append_utf8(char32_t character, std::string& out) {
  utf8proc_uint8_t bytes[4];
  const utf8proc_ssize_t used = utf8proc_encode_char(static_cast<utf8proc_int32_t>(character), bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(used));
}

bool is_letter(char32_t character) { return contains(letters(), character); }

bool is_number(char32_t character) { return contains(numbers(), character); }

bool is_space(char32_t character) {
  if (character < 0x80) return character == ' ' || (character >= '\t' && character <= '\r');
  switch (character) {
    case 0x85:
    case 0xa0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202f:
    case 0x205f:
    case 0x3000: return true;
    default: return character >= 0x2000 && character <= 0x200a;
  }
}

bool is_inert(char32_t character) { return contains(inert(), character); }

void append_lower(char32_t character, std::u32string& out) {
  if (character == kCapitalIWithDot) {
    out += U"i\u0307";
    return;
  }
  const LowerRun* run = entry_before(lower_runs(), character);
  const bool changes =
      run != nullptr && character <= run->last && (character - run->first) % static_cast<char32_t>(run->step) == 0;
  out += changes ? static_cast<char32_t>(static_cast<int>(character) + run->distance) : character;
}

}  // namespace fjord::text
