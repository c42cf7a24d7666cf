// Readers of options' texts: each puts the value into a target, which must outlive the parsing.
#pragma once

#include "cli/command_line.h"
#include "cli/exit_codes.h"
#include "cli/numbers.h"
#include "cli/output.h"

#include <fjord/choices.h>

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

// A reader of one of the names.
template <typename Choice, size_t kCount>
ReadOption choice_into(Choice& target, const ChoiceNames<Choice, kCount>& names) {
  return [&target, &names](const std::string& option, const std::string& text) {
    const auto choice = choice_named(names, text);
    if (!choice) throw UsageError(option + ": expected " + listed(names) + ", got " + in_quotes(text));
    target = *choice;
  };
}

}  // namespace fjord::cli
