// Plain write(2): no buffer that could be lost at exit, no stream state, safe beside LibTorch's own output.
#include "cli/output.h"

#include <fjord/error.h>

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace fjord::cli {
namespace {

// Returns 0 or the system's error number.
int write_descriptor(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

}  // namespace

std::string printable(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
      continue;
    }
    out += "\\x";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  constexpr size_t kLimit = 300;
  return "\"" + printable(text.substr(0, kLimit)) + (text.size() > kLimit ? "...\"" : "\"");
}

void keep_standard_descriptors_open() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // open() takes the lowest free number, which is fd.
    if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) < 0) return;
  }
}

void Output::write(std::string_view text) noexcept {
  if (error_ == 0) error_ = write_descriptor(STDOUT_FILENO, text);
}

void Output::check() const {
  if (error_ == 0 || error_ == EPIPE) return;
  throw Error(ErrorCode::kCannotWrite, std::string("cannot write to standard output: ") + std::strerror(error_));
}

void write_message(std::string_view text) noexcept { write_descriptor(STDERR_FILENO, text); }

void warn(std::string_view message) { write_message("fjord: warning: " + printable(message) + "\n"); }

}  // namespace fjord::cli
