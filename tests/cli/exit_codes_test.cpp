// Failures and the documented exit codes.
#include "cli/exit_codes.h"

#include <gtest/gtest.h>

namespace fjord::cli {
namespace {

TEST(ExitCodesTest, EveryErrorHasItsDocumentedCode) {
  EXPECT_EQ(exit_code(ErrorCode::kInvalidArgument), 65);
  EXPECT_EQ(exit_code(ErrorCode::kBadFile), 65);
  EXPECT_EQ(exit_code(ErrorCode::kUnsupported), 65);
  EXPECT_EQ(exit_code(ErrorCode::kNonFinite), 65);
  EXPECT_EQ(exit_code(ErrorCode::kNotFound), 66);
  EXPECT_EQ(exit_code(ErrorCode::kDeviceUnavailable), 69);
  EXPECT_EQ(exit_code(ErrorCode::kInternal), 70);
  EXPECT_EQ(exit_code(ErrorCode::kCannotWrite), 73);
  EXPECT_EQ(exit_code(ErrorCode::kOutOfMemory), 75);
  EXPECT_EQ(exit_code(ErrorCode::kCancelled), 130);
}

TEST(ExitCodesTest, HelpNamesEveryCode) {
  const std::string help = exit_code_help();
  for (const char* code : {"  0  ", " 64  ", " 65  ", " 66  ", " 69  ", " 70  ", " 73  ", " 75  ", "130  "}) {
    EXPECT_NE(help.find(code), std::string::npos) << code;
  }
}

}  // namespace
}  // namespace fjord::cli
