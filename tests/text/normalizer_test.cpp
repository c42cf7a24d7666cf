// NFC, spaces and lower case.
#include "text/normalizer.h"

#include <gtest/gtest.h>

namespace fjord::text {
namespace {

TEST(NormalizerTest, ComposesAndReorders) {
  EXPECT_EQ(compose(U""), U"");
  EXPECT_EQ(compose(U"e\u0301"), U"\u00e9");
  EXPECT_EQ(compose(U"o\u0301\u0323"), U"\u1ecd\u0301");
  EXPECT_EQ(compose(U"\u1112\u1161\u11ab"), U"\ud55c");
  EXPECT_EQ(compose(U"\u212b"), U"\u00c5");
  EXPECT_EQ(compose(U"\u0958"), U"\u0915\u093c");         // excluded from composition
  EXPECT_EQ(compose(U"\ufb1d"), U"\u05d9\u05b4");         // likewise
  EXPECT_EQ(compose(U"a\u0316\u0301"), U"\u00e1\u0316");  // a mark of another class does not block
  EXPECT_EQ(compose(U"a\u0301\u0300"), U"\u00e1\u0300");  // one of the same class does
  EXPECT_EQ(compose(std::u32string_view(U"\0e\u0301", 3)), std::u32string_view(U"\0\u00e9", 2));
}

TEST(NormalizerTest, CharactersNewerThanTheReferenceStayWhereTheyAre) {
  EXPECT_EQ(compose(U"a\u07fd\u0334"), U"a\u07fd\u0334");
  EXPECT_EQ(compose(U"\U00011935\U00011930"), U"\U00011935\U00011930");
  EXPECT_EQ(compose(U"e\u07fd\u0301"), U"e\u07fd\u0301");
}

TEST(NormalizerTest, SpacesBecomeOneSpace) {
  EXPECT_EQ(normalize(U" \t\u3000a\r\n\u00a0b\u2003"), U" a b ");
  EXPECT_EQ(normalize(U"a\u200b b"), U"a\u200b b");
}

TEST(NormalizerTest, LowerCaseComesLast) {
  EXPECT_EQ(normalize(U"E\u0301"), U"\u00e9");
  EXPECT_EQ(normalize(U"\u0130"), U"i\u0307");
  EXPECT_EQ(normalize(U"\u0391\u03a3"), U"\u03b1\u03c3");
}

}  // namespace
}  // namespace fjord::text
