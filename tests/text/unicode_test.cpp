// UTF-8, classes and lower case of single characters.
#include "text/unicode.h"

#include "text/unicode_tables.h"

#include <fjord/error.h>
#include <gtest/gtest.h>

namespace fjord::text {
namespace {

std::u32string lower(char32_t character) {
  std::u32string out;
  append_lower(character, out);
  return out;
}

TEST(UnicodeTest, EveryCharacterSurvivesUtf8) {
  for (char32_t code = 0; code < 0x110000; code += code < 0x3000 ? 1 : 97) {
    if (code >= 0xd800 && code < 0xe000) continue;
    std::string bytes;
    append_utf8(code, bytes);
    EXPECT_EQ(decode_utf8(bytes), std::u32string(1, code));
  }
  EXPECT_EQ(decode_utf8(std::string_view("\0a\0", 3)), std::u32string_view(U"\0a\0", 3));
}

TEST(UnicodeTest, MalformedUtf8IsRefusedWithItsPlace) {
  for (const char* text : {"ab\x80", "ab\xc3", "ab\xc0\xaf", "ab\xe0\x80\xaf", "ab\xed\xa0\x80", "ab\xf4\x90\x80\x80",
                           "ab\xff", "ab\xf0\x9f\x98", "ab\xfe\xbf"}) {
    try {
      decode_utf8(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_NE(std::string(error.what()).find("byte 2"), std::string::npos) << error.what();
    }
  }
}

TEST(UnicodeTest, TablesAreAscendingAndDisjoint) {
  for (const auto table : {letters(), numbers(), inert()}) {
    for (size_t i = 0; i < table.size(); ++i) {
      EXPECT_LE(table[i].first, table[i].last);
      EXPECT_TRUE(i == 0 || table[i].first > table[i - 1].last);
    }
  }
  for (size_t i = 1; i < lower_runs().size(); ++i) EXPECT_GT(lower_runs()[i].first, lower_runs()[i - 1].last);
}

TEST(UnicodeTest, Classes) {
  EXPECT_TRUE(is_letter(U'a') && is_letter(U'\u00df') && is_letter(U'\u5b57') && is_letter(U'\U000323af'));
  EXPECT_FALSE(is_letter(U'1') || is_letter(U'\u0301') || is_letter(U'_') || is_letter(U'\U0001f600'));
  EXPECT_TRUE(is_number(U'7') && is_number(U'\u0663') && is_number(U'\u00bd') && is_number(U'\u2167'));
  EXPECT_FALSE(is_number(U'a') || is_number(U'\u4e00'));
  EXPECT_TRUE(is_space(U' ') && is_space(U'\u0085') && is_space(U'\u3000') && is_space(U'\u200a'));
  EXPECT_FALSE(is_space(U'\u200b') || is_space(U'\u180e') || is_space(U'\u001c') || is_space(U'\ufeff'));
}

TEST(UnicodeTest, LowerCaseIsThatOfTheSingleCharacter) {
  EXPECT_EQ(lower(U'A'), U"a");
  EXPECT_EQ(lower(U'a'), U"a");
  EXPECT_EQ(lower(U'\u0130'), U"i\u0307");
  EXPECT_EQ(lower(U'\u03a3'), U"\u03c3");
  EXPECT_EQ(lower(U'\u1e9e'), U"\u00df");
  EXPECT_EQ(lower(U'\u01c5'), U"\u01c6");
  EXPECT_EQ(lower(U'\U00016ea0'), U"\U00016ebb");  // Unicode 17
}

}  // namespace
}  // namespace fjord::text
