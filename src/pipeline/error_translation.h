// The edge of the library: whatever LibTorch or the standard library throws leaves as fjord::Error.
#pragma once

#include <exception>
#include <utility>

namespace fjord::pipeline {

// Throws the Error that stands for `error`: itself if it is one, kOutOfMemory for exhausted memory, else kInternal.
[[noreturn]] void rethrow_as_error(const std::exception_ptr& error);

// Runs `work` and translates what it throws. The tensors of `work` are gone before the Error is thrown.
template <typename Work>
auto translated(Work&& work) {
  std::exception_ptr error;
  try {
    return std::forward<Work>(work)();
  } catch (...) {
    error = std::current_exception();
  }
  rethrow_as_error(error);
}

}  // namespace fjord::pipeline
