// std::from_chars and std::to_chars know no locale and lose no digit.
#include "cli/numbers.h"

#include "cli/exit_codes.h"
#include "cli/output.h"

#include <charconv>
#include <random>
#include <system_error>

namespace fjord::cli {
namespace {

template <typename T>
T parse(const std::string& option, std::string_view text, const char* expected) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
    throw UsageError(option + ": expected " + expected + ", got " + in_quotes(text));
  }
  if (error != std::errc()) {
    throw Error(ErrorCode::kInvalidArgument, option + ": the number " + in_quotes(text) + " is out of range");
  }
  return value;
}

}  // namespace

int parse_integer(const std::string& option, std::string_view text, int minimum) {
  const int value = parse<int>(option, text, "an integer");
  if (value >= minimum) return value;
  throw Error(ErrorCode::kInvalidArgument,
              option + ": expected at least " + std::to_string(minimum) + ", got " + std::to_string(value));
}

double parse_real(const std::string& option, std::string_view text) { return parse<double>(option, text, "a number"); }

std::vector<double> parse_reals(const std::string& option, std::string_view text) {
  std::vector<double> values;
  for (size_t begin = 0;;) {
    const size_t end = text.find(',', begin);
    values.push_back(parse_real(option, text.substr(begin, end - begin)));
    if (end == std::string_view::npos) return values;
    begin = end + 1;
  }
}

std::uint64_t parse_seed(const std::string& option, std::string_view text) {
  if (text != "random" && text != "-1") {
    return parse<std::uint64_t>(option, text, "an integer from 0 to 18446744073709551615, -1 or random");
  }
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

std::optional<double> take_number(std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  try {
    const double value = parse_real("", std::string_view(text).substr(colon + 1));
    text.erase(colon);
    return value;
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

std::string format_real(double value) {
  char text[40];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string format_fixed(double value, int digits) {
  char text[400];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits).ptr};
}

}  // namespace fjord::cli
