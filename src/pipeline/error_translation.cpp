#include "pipeline/error_translation.h"

#include "core/check.h"
#include "core/cuda_plugin.h"

#include <c10/util/Exception.h>

#include <new>
#include <string>

namespace fjord::pipeline {
namespace {

// LibTorch's CPU allocator reports exhausted memory with a plain c10::Error, and so do CUDA's libraries.
bool says_out_of_memory(const std::string& message) {
  return message.find("can't allocate memory") != std::string::npos ||
         message.find("CUDA error: out of memory") != std::string::npos ||
         message.find("CUBLAS_STATUS_ALLOC_FAILED") != std::string::npos ||
         message.find("CUDNN_STATUS_ALLOC_FAILED") != std::string::npos;
}

// What the failed request left in LibTorch's cache is of other sizes than the next one wants.
void release_device_memory() {
  if (const auto* cuda = cuda_plugin().ops) cuda->release_memory();
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
    release_device_memory();
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
