// Conversions between UTF-8 and Latin-1.
#include "image/latin1.h"

#include <gtest/gtest.h>

namespace fjord {
namespace {

TEST(Latin1Test, EveryByteRoundTrips) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string utf8 = latin1_to_utf8(all);
  EXPECT_EQ(utf8.size(), 128u + 2 * 128u);
  EXPECT_TRUE(is_utf8(utf8));
  EXPECT_EQ(utf8_to_latin1(utf8), all);
}

TEST(Latin1Test, CharactersAboveLatin1HaveNoCode) {
  EXPECT_EQ(utf8_to_latin1("\u00ff"), "\xff");
  EXPECT_EQ(utf8_to_latin1("\u0100"), std::nullopt);
  EXPECT_EQ(utf8_to_latin1("a\U0001f3d4"), std::nullopt);
}

TEST(Latin1Test, MalformedUtf8IsRefused) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("\xf4\x8f\xbf\xbf"));             // U+10FFFF
  for (const char* text : {"\x80", "\xc3", "\xc0\xaf",  // lone continuation, cut, overlong
                           "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
    EXPECT_EQ(utf8_to_latin1(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace fjord
