#include "core/files.h"

#include "core/check.h"

#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace fjord {
namespace {

[[noreturn]] void fail_to_write(const std::string& path, int error) {
  fail(ErrorCode::kCannotWrite, "cannot write ", quoted(path, 300), ": ", std::strerror(error));
}

// A descriptor and its file's name; both go away unless released.
struct TemporaryFile {
  std::string name;
  int fd = -1;

  explicit TemporaryFile(const std::string& path) : name(path + ".XXXXXX"), fd(mkstemp(name.data())) {
    if (fd < 0) fail_to_write(path, errno);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (fd >= 0) close(fd);
    if (!name.empty()) unlink(name.c_str());
  }
};

mode_t default_file_mode() {
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

}  // namespace

void write_all(int fd, const void* data, size_t size, const std::string& path) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(fd, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_to_write(path, errno);
    bytes += written;
    size -= static_cast<size_t>(written);
  }
}

void write_file_atomically(const std::string& path, const std::function<void(int fd)>& write) {
  struct stat status {};
  const bool exists = stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) fail_to_write(path, EISDIR);
  if (exists && !S_ISREG(status.st_mode)) {
    fail(ErrorCode::kCannotWrite, "cannot write ", quoted(path, 300), ": it is not a regular file");
  }
  TemporaryFile file(path);
  write(file.fd);
  fchmod(file.fd, exists ? (status.st_mode & 07777) : default_file_mode());
  const int fd = std::exchange(file.fd, -1);
  if (fsync(fd) != 0 && errno != EINVAL) {
    const int error = errno;
    close(fd);
    fail_to_write(path, error);
  }
  if (close(fd) != 0) fail_to_write(path, errno);
  if (rename(file.name.c_str(), path.c_str()) != 0) fail_to_write(path, errno);
  file.name.clear();
}

}  // namespace fjord
