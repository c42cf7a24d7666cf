// Readers of options' texts: each puts the value into a target, which must outlive the parsing.
#pragma once

#include "cli/command_line.h"
#include "cli/numbers.h"

namespace fjord::cli {

inline ReadOption integer_into(int& target, int minimum = 1) {
  return [&target, minimum](const std::string& option, const std::string& text) {
    target = parse_integer(option, text, minimum);
  };
}

template <typename Real>
ReadOption real_into(Real& target) {
  return [&target](const std::string& option, const std::string& text) { target = parse_real(option, text); };
}

}  // namespace fjord::cli
