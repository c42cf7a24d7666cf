// Finding added tokens in a text.
#include "text/added_tokens.h"

#include <fjord/error.h>
#include <gtest/gtest.h>

#include <utility>

namespace fjord::text {
namespace {

using Pieces = std::vector<std::pair<std::u32string, std::int64_t>>;

Pieces split(const std::vector<TokenPattern>& patterns, std::u32string_view text) {
  TokenFinder finder;
  for (const TokenPattern& pattern : patterns) finder.add(pattern);
  Pieces pieces;
  for (const TextPiece& piece : finder.split(text)) pieces.emplace_back(piece.characters, piece.id);
  return pieces;
}

TEST(TokenFinderTest, WithoutPatternsAllIsText) {
  EXPECT_EQ(split({}, U"abc"), (Pieces{{U"abc", -1}}));
  EXPECT_EQ(split({}, U""), (Pieces{}));
}

TEST(TokenFinderTest, LeftmostThenLongest) {
  EXPECT_EQ(split({{U"ab", 1}, {U"abc", 2}, {U"bcd", 3}}, U"xabcdab"),
            (Pieces{{U"x", -1}, {U"abc", 2}, {U"d", -1}, {U"ab", 1}}));
  EXPECT_EQ(split({{U"ab", 1}, {U"abcd", 2}, {U"c", 3}}, U"abce"), (Pieces{{U"ab", 1}, {U"c", 3}, {U"e", -1}}));
  EXPECT_EQ(split({{U"aa", 1}}, U"aaaaa"), (Pieces{{U"aa", 1}, {U"aa", 1}, {U"a", -1}}));
}

TEST(TokenFinderTest, StripsTakeSpacesThatAreStillFree) {
  const TokenPattern left{U"<", 1, true, false};
  const TokenPattern right{U">", 2, false, true};
  EXPECT_EQ(split({left}, U"a \u3000< b"), (Pieces{{U"a", -1}, {U" \u3000<", 1}, {U" b", -1}}));
  EXPECT_EQ(split({right}, U"a > \n"), (Pieces{{U"a ", -1}, {U"> \n", 2}}));
  EXPECT_EQ(split({left, right}, U">  <"), (Pieces{{U">  ", 2}, {U"<", 1}}));
}

TEST(TokenFinderTest, BadPatternsAreRefused) {
  TokenFinder finder;
  finder.add({U"ab", 1});
  EXPECT_THROW(finder.add({U"ab", 2}), Error);
  EXPECT_THROW(finder.add({U"", 2}), Error);
  const std::u32string longest(TokenFinder::kMaxPattern, U'x');
  EXPECT_NO_THROW(finder.add({longest, 3}));
  EXPECT_THROW(finder.add({longest + U"x", 4}), Error);
}

}  // namespace
}  // namespace fjord::text
