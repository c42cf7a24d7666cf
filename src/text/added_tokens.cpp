// A trie over characters, walked from every place of the text.
#include "text/added_tokens.h"

#include "core/check.h"
#include "text/unicode.h"

#include <algorithm>

namespace fjord::text {
namespace {

constexpr int kCharacterBits = 21;

std::uint64_t edge_key(std::uint32_t node, char32_t character) {
  return std::uint64_t{node} << kCharacterBits | character;
}

}  // namespace

void TokenFinder::add(const TokenPattern& pattern) {
  check(!pattern.characters.empty() && pattern.characters.size() <= kMaxPattern, ErrorCode::kBadFile,
        "tokenizer: expected an added token of 1 to ", kMaxPattern, " characters, got ", pattern.characters.size());
  std::uint32_t node = 0;
  for (const char32_t character : pattern.characters) {
    const auto [edge, is_new] = children_.try_emplace(edge_key(node, character), nodes_.size());
    if (is_new) nodes_.emplace_back();
    node = edge->second;
  }
  check(nodes_[node].id < 0, ErrorCode::kBadFile, "tokenizer: added tokens ", nodes_[node].id, " and ", pattern.id,
        " are the same text after normalization");
  nodes_[node] = {pattern.characters.size(), pattern.id, pattern.lstrip, pattern.rstrip};
}

const std::uint32_t* TokenFinder::child(std::uint32_t node, char32_t character) const {
  const auto edge = children_.find(edge_key(node, character));
  return edge == children_.end() ? nullptr : &edge->second;
}

TokenFinder::Match TokenFinder::longest_match(std::u32string_view text) const {
  Match best;
  const std::uint32_t* node = nullptr;
  std::uint32_t at = 0;
  for (size_t i = 0; i < text.size() && (node = child(at, text[i])) != nullptr; ++i) {
    at = *node;
    if (nodes_[at].id >= 0) best = nodes_[at];
  }
  return best;
}

std::vector<TextPiece> TokenFinder::split(std::u32string_view text) const {
  std::vector<TextPiece> pieces;
  size_t done = 0;  // everything before it is in `pieces`
  for (size_t at = 0; at < text.size();) {
    const Match match = longest_match(text.substr(at));
    if (match.length == 0) {
      ++at;
      continue;
    }
    size_t begin = at;
    size_t end = at += match.length;
    while (match.lstrip && begin > done && is_space(text[begin - 1])) --begin;
    while (match.rstrip && end < text.size() && is_space(text[end])) ++end;
    if (done < begin) pieces.push_back({text.substr(done, begin - done), -1});
    pieces.push_back({text.substr(begin, end - begin), match.id});
    done = end;
  }
  if (done < text.size()) pieces.push_back({text.substr(done), -1});
  return pieces;
}

}  // namespace fjord::text
