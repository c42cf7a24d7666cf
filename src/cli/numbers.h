// Numbers on the command line: read and written alike in every locale.
// All parsers take the option's name for their messages and throw UsageError if `text` is no number, and
// Error(kInvalidArgument) if it is one that does not fit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fjord::cli {

// An integer of at least `minimum`.
int parse_integer(const std::string& option, std::string_view text, int minimum);
// Any real number, "nan" and "inf" included: the library judges those.
double parse_real(const std::string& option, std::string_view text);
// "999,500,1".
std::vector<double> parse_reals(const std::string& option, std::string_view text);
// 0..2^64-1; "-1" and "random" draw a seed from the system.
std::uint64_t parse_seed(const std::string& option, std::string_view text);

// Takes ":NUMBER" off the end of "NAME:NUMBER"; nothing where there is none.
std::optional<double> take_number(std::string& text);

// Shortest text that reads back as the same number.
std::string format_real(double value);
// With `digits` digits after the point.
std::string format_fixed(double value, int digits);

}  // namespace fjord::cli
