#include "pipeline/error_translation.h"

#include "core/check.h"

#include <c10/util/Exception.h>

#include <new>
#include <string>

namespace fjord::pipeline {
namespace {

// LibTorch's CPU allocator reports exhausted memory with a plain c10::Error.
bool says_out_of_memory(const std::string& message) {
  return message.find("can't allocate memory") != std::string::npos;
}

std::string first_line(const std::string& message) { return message.substr(0, message.find('\n')); }

}  // namespace

void rethrow_as_error(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::kOutOfMemory, "out of memory");
  } catch (const c10::OutOfMemoryError& e) {
    fail(ErrorCode::kOutOfMemory, "out of device memory: ", first_line(e.what_without_backtrace()));
  } catch (const c10::Error& e) {
    const std::string message = e.what_without_backtrace();
    const auto code = says_out_of_memory(message) ? ErrorCode::kOutOfMemory : ErrorCode::kInternal;
    fail(code, code == ErrorCode::kOutOfMemory ? "out of memory: " : "internal error: ", first_line(message));
  } catch (const std::exception& e) {
    fail(ErrorCode::kInternal, "internal error: ", first_line(e.what()));
  } catch (...) {
    fail(ErrorCode::kInternal, "internal error of unknown kind");
  }
}

}  // namespace fjord::pipeline
