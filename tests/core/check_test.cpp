#include "core/check.h"

#include <gtest/gtest.h>

namespace fjord {
namespace {

TEST(QuotedTest, EscapesControlCharacters) {
  EXPECT_EQ(quoted(std::string("a\n\x1b[31mb\x7f")), "\"a\\x0a\\x1b[31mb\\x7f\"");
  EXPECT_EQ(quoted("caf\xc3\xa9"), "\"caf\xc3\xa9\"");
}

TEST(QuotedTest, CutsLongText) { EXPECT_EQ(quoted(std::string(200, 'x'), 3), "\"xxx...\""); }

TEST(CheckTest, JoinsTheSentenceOnlyOnFailure) {
  EXPECT_NO_THROW(check(true, ErrorCode::kInternal, "never"));
  try {
    check(1 > 2, ErrorCode::kInvalidArgument, "steps must be at least ", 1, ", got ", 0.5);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_STREQ(error.what(), "steps must be at least 1, got 0.5");
  }
}

TEST(ErrorCodeTest, EveryCodeHasItsOwnName) {
  EXPECT_STREQ(to_string(ErrorCode::kBadFile), "bad_file");
  EXPECT_STREQ(to_string(ErrorCode::kNonFinite), "non_finite");
}

}  // namespace
}  // namespace fjord
