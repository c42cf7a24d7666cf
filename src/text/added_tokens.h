// Finds added tokens in a text. Reference: AddedVocabulary of the tokenizers library.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fjord::text {

// One token to find: its characters, its id, and whether it takes the spaces beside it along.
struct TokenPattern {
  std::u32string_view characters;
  std::int64_t id = 0;
  bool lstrip = false;
  bool rstrip = false;
};

// A piece of a text: an added token (id >= 0), or plain text between them (id is -1, never empty).
struct TextPiece {
  std::u32string_view characters;
  std::int64_t id = -1;
};

// Immutable. Of several tokens that match, the leftmost counts, and there the longest.
class TokenFinder {
 public:
  // Adds a pattern of 1..kMaxPattern characters. Throws Error(kBadFile) for another length and for a pattern that is
  // there already.
  void add(const TokenPattern& pattern);

  // The pieces of `text` from left to right; they point into `text`. Time: length of the text times that of the longest
  // pattern that its places begin with.
  std::vector<TextPiece> split(std::u32string_view text) const;

  static constexpr size_t kMaxPattern = 256;

 private:
  struct Match {
    size_t length = 0;
    std::int64_t id = -1;
    bool lstrip = false;
    bool rstrip = false;
  };

  const std::uint32_t* child(std::uint32_t node, char32_t character) const;
  Match longest_match(std::u32string_view text) const;

  std::unordered_map<std::uint64_t, std::uint32_t> children_;  // (node, character) -> node
  std::vector<Match> nodes_ = std::vector<Match>(1);           // node 0 is the root; id -1: no pattern ends here
};

}  // namespace fjord::text
