// Catches the Error that an action must throw.
#pragma once

#include <fjord/error.h>

#include <gtest/gtest.h>

#include <utility>

namespace fjord::testing {

// Runs `action` and returns its Error; an action that throws none is a failed test. Other exceptions pass through.
template <typename Action>
Error error_of(Action&& action) {
  try {
    std::forward<Action>(action)();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "expected an Error";
  return {ErrorCode::kInternal, ""};
}

}  // namespace fjord::testing
