// Numbers of the command line.
#include "cli/numbers.h"

#include "cli/exit_codes.h"

#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <limits>

namespace fjord::cli {
namespace {

TEST(NumbersTest, IntegersAreReadWhole) {
  EXPECT_EQ(parse_integer("--steps", "20", 1), 20);
  EXPECT_EQ(parse_integer("--steps", "2147483647", 1), 2147483647);
  for (const char* text : {"", " 1", "1 ", "1.0", "0x10", "+1", "ten", "1e3"}) {
    EXPECT_THROW(parse_integer("--steps", text, 1), UsageError) << text;
  }
  for (const char* text : {"0", "-1", "2147483648", "99999999999999999999"}) {
    EXPECT_THROW(parse_integer("--steps", text, 1), Error) << text;
  }
}

TEST(NumbersTest, RealsAreReadExactlyInEveryLocale) {
  EXPECT_EQ(parse_real("--guidance", "7.5"), 7.5);
  EXPECT_EQ(parse_real("--guidance", "-1e-3"), -1e-3);
  EXPECT_EQ(parse_real("--guidance", "0.1"), 0.1);
  EXPECT_TRUE(std::isnan(parse_real("--guidance", "nan")));
  EXPECT_TRUE(std::isinf(parse_real("--guidance", "inf")));
  for (const char* text : {"", "7,5", "1.5x", "--", "1e"}) EXPECT_THROW(parse_real("--guidance", text), UsageError);
  EXPECT_THROW(parse_real("--guidance", "1e999"), Error);
  // Where such a locale is installed, a comma would be its decimal point.
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"}) {
    if (std::setlocale(LC_ALL, name) == nullptr) continue;
    EXPECT_EQ(parse_real("--guidance", "7.5"), 7.5);
    EXPECT_EQ(format_real(7.5), "7.5");
  }
  std::setlocale(LC_ALL, "C");
}

TEST(NumbersTest, ListsOfRealsAreSeparatedByCommas) {
  EXPECT_EQ(parse_reals("--timesteps", "999,500.5,1"), (std::vector<double>{999, 500.5, 1}));
  for (const char* text : {"", "1,", ",1", "1;2", "1, 2"}) EXPECT_THROW(parse_reals("--timesteps", text), UsageError);
}

TEST(NumbersTest, SeedsReachTheWholeRangeOf64Bits) {
  EXPECT_EQ(parse_seed("--seed", "0"), 0u);
  EXPECT_EQ(parse_seed("--seed", "9007199254740993"), 9007199254740993u);
  EXPECT_EQ(parse_seed("--seed", "18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_THROW(parse_seed("--seed", "18446744073709551616"), Error);
  for (const char* text : {"-2", "1.5", "", "Random"}) EXPECT_THROW(parse_seed("--seed", text), UsageError) << text;
  EXPECT_NE(parse_seed("--seed", "random"), parse_seed("--seed", "random"));
  EXPECT_NE(parse_seed("--seed", "-1"), parse_seed("--seed", "-1"));
}

TEST(NumbersTest, FormattedRealsReadBackAsTheSameNumber) {
  for (const double value : {7.5, 0.1, 1.0 / 3.0, 1e300, -2.0, 0.0}) {
    EXPECT_EQ(parse_real("x", format_real(value)), value);
  }
  EXPECT_EQ(format_real(4.0), "4");
  EXPECT_EQ(format_fixed(2.345, 1), "2.3");
  EXPECT_EQ(format_fixed(1e300, 2).size(), 304u);
}

}  // namespace
}  // namespace fjord::cli
