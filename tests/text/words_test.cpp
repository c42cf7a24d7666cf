// CLIP's split rule.
#include "text/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fjord::text {
namespace {

using testing::ElementsAre;

TEST(WordsTest, LettersDigitsAndTheRest) {
  EXPECT_THAT(split_words(U""), ElementsAre());
  EXPECT_THAT(split_words(U"  "), ElementsAre());
  EXPECT_THAT(split_words(U"ab12 c!?d"), ElementsAre(U"ab", U"1", U"2", U"c", U"!?", U"d"));
  EXPECT_THAT(split_words(U"a\u0308b"), ElementsAre(U"a", U"\u0308", U"b"));
  EXPECT_THAT(split_words(U"a_b"), ElementsAre(U"a", U"_", U"b"));
}

TEST(WordsTest, ContractionsBeginAtAnApostropheThatBeginsAWord) {
  EXPECT_THAT(split_words(U"it's"), ElementsAre(U"it", U"'s"));
  EXPECT_THAT(split_words(U"'send"), ElementsAre(U"'s", U"end"));
  EXPECT_THAT(split_words(U"we'll 're 'x"), ElementsAre(U"we", U"'ll", U"'re", U"'", U"x"));
  EXPECT_THAT(split_words(U"!'s"), ElementsAre(U"!'", U"s"));
  EXPECT_THAT(split_words(U"''s"), ElementsAre(U"''", U"s"));
}

TEST(WordsTest, MarkersAreCutAtTheirBrackets) {
  EXPECT_THAT(split_words(U"<|startoftext|><|endoftext|>x"),
              ElementsAre(U"<|", U"startoftext", U"|>", U"<|", U"endoftext", U"|>", U"x"));
  EXPECT_THAT(split_words(U"!<|endoftext|>!"), ElementsAre(U"!<|", U"endoftext", U"|>!"));
  EXPECT_THAT(split_words(U"<|endoftext|><|x"), ElementsAre(U"<|", U"endoftext", U"|>", U"<|", U"x"));
}

}  // namespace
}  // namespace fjord::text
