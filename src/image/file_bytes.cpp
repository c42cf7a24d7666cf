#include "image/file_bytes.h"

#include "core/check.h"

#include <sys/stat.h>
#include <cerrno>
#include <cstring>

namespace fjord {

OpenFile open_regular_file(const std::string& path) {
  struct stat status {};
  const bool exists = stat(path.c_str(), &status) == 0;
  if (!exists && (errno == ENOENT || errno == ENOTDIR)) {
    fail(ErrorCode::kNotFound, "there is no file ", quoted(path, 300));
  }
  // Opening a pipe or a device could block for ever.
  if (exists && !S_ISREG(status.st_mode)) fail(ErrorCode::kBadFile, quoted(path, 300), " is not a regular file");
  std::FILE* file = exists ? std::fopen(path.c_str(), "rbe") : nullptr;
  if (file == nullptr) fail(ErrorCode::kBadFile, "cannot read ", quoted(path, 300), ": ", std::strerror(errno));
  return {file, std::fclose};
}

std::vector<std::uint8_t> file_bytes(const std::string& path, std::uint64_t limit) {
  const auto file = open_regular_file(path);
  struct stat status {};
  const auto size = fstat(fileno(file.get()), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  check(size <= limit, ErrorCode::kBadFile, quoted(path, 300), " has ", size, " bytes; expected at most ", limit);
  std::vector<std::uint8_t> bytes(size);
  const auto got = std::fread(bytes.data(), 1, bytes.size(), file.get());
  check(got == size, ErrorCode::kBadFile, "cannot read ", quoted(path, 300), ": expected ", size, " bytes, got ", got);
  return bytes;
}

}  // namespace fjord
