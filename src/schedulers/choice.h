// A word of the configuration, judged against the words that a scheduler understands.
#pragma once

#include "core/check.h"

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

namespace fjord::schedulers {

// The value that belongs to `word`, or to `fallback` where the configuration does not give one.
// Throws kUnsupported naming the field, the word and the words that are understood.
template <typename Value>
Value choose(const char* field, const std::optional<std::string>& word, const char* fallback,
             std::initializer_list<std::pair<const char*, Value>> choices) {
  const std::string wanted = word.value_or(fallback);
  std::string known;
  for (const auto& [name, value] : choices) {
    if (wanted == name) return value;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  fail(ErrorCode::kUnsupported, field, " ", fjord::quoted(wanted), " is not supported; expected one of ", known);
}

}  // namespace fjord::schedulers
