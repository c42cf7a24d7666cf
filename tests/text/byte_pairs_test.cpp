// Merging the byte pairs of one word.
#include "text/byte_pairs.h"

#include "text/unicode.h"

#include <fjord/error.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fjord::text {
namespace {

using testing::ElementsAre;
using Merges = std::vector<std::pair<std::string, std::string>>;

// The ASCII letters a-d, inside and at the end of a word, the tokens that the merges make, and "?" for all other bytes.
TokenIds ids_for(const std::vector<std::string>& more) {
  TokenIds ids{{"?", 0},     {"a", 1},     {"b", 2},     {"c", 3},    {"d", 4},
               {"a</w>", 5}, {"b</w>", 6}, {"c</w>", 7}, {"d</w>", 8}};
  for (const std::string& token : more) ids.emplace(token, ids.size());
  return ids;
}

std::vector<std::int64_t> encode(const std::vector<std::string>& tokens, const Merges& merges, std::string_view word) {
  std::vector<std::int64_t> out;
  BytePairEncoder(ids_for(tokens), merges, "?").encode(word, out);
  return out;
}

TEST(BytePairEncoderTest, WithoutMergesEveryByteIsAToken) {
  EXPECT_THAT(encode({}, {}, ""), ElementsAre());
  EXPECT_THAT(encode({}, {}, "a"), ElementsAre(5));
  EXPECT_THAT(encode({}, {}, "abc"), ElementsAre(1, 2, 7));
}

TEST(BytePairEncoderTest, BytesWithoutATokenAreUnknownOneByOne) {
  EXPECT_THAT(encode({}, {}, "axyb"), ElementsAre(1, 0, 0, 6));
  EXPECT_THAT(encode({}, {}, "\xff"), ElementsAre(0));
}

TEST(BytePairEncoderTest, BestRankFirstThenLeftmost) {
  EXPECT_THAT(encode({"bc", "ab"}, {{"b", "c"}, {"a", "b"}}, "abca"), ElementsAre(1, 9, 5));
  EXPECT_THAT(encode({"aa"}, {{"a", "a"}}, "aaaaa"), ElementsAre(9, 9, 5));
  EXPECT_THAT(encode({"ab", "abc</w>"}, {{"a", "b"}, {"ab", "c</w>"}}, "abc"), ElementsAre(10));
}

TEST(BytePairEncoderTest, TheLaterRankOfARepeatedMergeCounts) {
  EXPECT_THAT(encode({"ab", "bc"}, {{"a", "b"}, {"b", "c"}, {"a", "b"}}, "abca"), ElementsAre(1, 10, 5));
}

TEST(BytePairEncoderTest, UselessMergesAreHarmless) {
  EXPECT_THAT(encode({"dd", "ddd", "dddd"}, {{"dd", "d"}, {"dd", "dd"}, {"d", "d"}}, "ddddd"), ElementsAre(10, 4, 8));
}

TEST(BytePairEncoderTest, MergesOfUnknownTokensAreRefused) {
  for (const Merges& merges : {Merges{{"a", "x"}}, Merges{{"x", "a"}}, Merges{{"a", "b"}}}) {
    EXPECT_THROW(encode({}, merges, "a"), Error);
  }
}

TEST(BytePairEncoderTest, AMissingByteNeedsAnUnknownToken) {
  EXPECT_THROW(BytePairEncoder(ids_for({}), {}, "none"), Error);
}

}  // namespace
}  // namespace fjord::text
