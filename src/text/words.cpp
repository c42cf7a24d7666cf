// A scanner written out by hand: the rule needs no look-back, so one pass and constant stack are enough.
#include "text/words.h"

#include "text/unicode.h"

#include <algorithm>

namespace fjord::text {
namespace {

constexpr std::u32string_view kMarkers[] = {U"<|startoftext|>", U"<|endoftext|>"};
constexpr size_t kBracketLength = 2;  // of "<|" and "|>"
constexpr std::u32string_view kContractions[] = {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};

bool is_other(char32_t character) { return !is_space(character) && !is_letter(character) && !is_number(character); }

size_t run_length(std::u32string_view text, bool (*belongs)(char32_t)) {
  return static_cast<size_t>(std::find_if_not(text.begin(), text.end(), belongs) - text.begin());
}

// The length of the marker that `text` begins with, or 0.
size_t marker_length(std::u32string_view text) {
  for (const std::u32string_view marker : kMarkers) {
    if (text.starts_with(marker)) return marker.size();
  }
  return 0;
}

// The length of the word that `text` begins with; `text` begins with neither a space nor a marker.
size_t word_length(std::u32string_view text) {
  for (const std::u32string_view contraction : kContractions) {
    if (text.starts_with(contraction)) return contraction.size();
  }
  if (is_letter(text.front())) return run_length(text, is_letter);
  return is_number(text.front()) ? 1 : run_length(text, is_other);
}

}  // namespace

std::vector<std::u32string_view> split_words(std::u32string_view text) {
  std::vector<std::u32string_view> words;
  while (!text.empty()) {
    if (is_space(text.front())) {
      text.remove_prefix(1);
      continue;
    }
    if (const size_t length = marker_length(text); length > 0) {
      words.push_back(text.substr(0, kBracketLength));
      words.push_back(text.substr(kBracketLength, length - 2 * kBracketLength));
      words.push_back(text.substr(length - kBracketLength, kBracketLength));
      text.remove_prefix(length);
      continue;
    }
    words.push_back(text.substr(0, word_length(text)));
    text.remove_prefix(words.back().size());
  }
  return words;
}

}  // namespace fjord::text
