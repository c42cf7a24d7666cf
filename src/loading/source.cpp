#include "loading/source.h"

#include "core/check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace fjord::loading {
namespace {

[[noreturn]] void fail_to_open(const std::string& path, int error) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  fail(missing ? ErrorCode::kNotFound : ErrorCode::kBadFile, "cannot read ", fjord::quoted(path, 300), ": ",
       std::strerror(error));
}

class DiskFile : public File {
 public:
  // O_NONBLOCK: opening a FIFO must not wait for its writer.
  explicit DiskFile(std::string path) : path_(std::move(path)) {
    fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd_ < 0) fail_to_open(path_, errno);
    struct stat status {};
    const bool readable = fstat(fd_, &status) == 0;
    if (!readable || !S_ISREG(status.st_mode)) {
      ::close(fd_);
      fail(ErrorCode::kBadFile, "expected a regular file at ", fjord::quoted(path_, 300),
           S_ISDIR(status.st_mode) ? ", got a folder" : ", got something else");
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  DiskFile(const DiskFile&) = delete;
  DiskFile& operator=(const DiskFile&) = delete;
  ~DiskFile() override { ::close(fd_); }

  std::uint64_t size() const override { return size_; }
  const std::string& name() const override { return path_; }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    while (!out.empty()) {
      const ssize_t got = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      check(got >= 0, ErrorCode::kBadFile, "cannot read ", fjord::quoted(path_, 300), " at byte ", offset, ": ",
            std::strerror(errno));
      check(got > 0, ErrorCode::kBadFile, fjord::quoted(path_, 300), " ends at byte ", offset, ", expected ",
            out.size(), " more bytes (is it being written or was it cut?)");
      offset += static_cast<std::uint64_t>(got);
      out = out.subspan(static_cast<size_t>(got));
    }
  }

 private:
  std::string path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

// Names may come from data (a shard index), so they must not lead out of the folder.
void check_relative_name(const std::string& name) {
  bool good = !name.empty() && name.front() != '/' && name.find('\\') == std::string::npos &&
              name.find('\0') == std::string::npos;
  for (size_t begin = 0; good && begin <= name.size();) {
    const auto end = std::min(name.find('/', begin), name.size());
    const auto part = name.substr(begin, end - begin);
    good = !part.empty() && part != "." && part != "..";
    begin = end + 1;
  }
  check(good, ErrorCode::kBadFile, "expected a file name below the model folder, got ", fjord::quoted(name));
}

class FolderSource : public Source {
 public:
  explicit FolderSource(std::string path) : path_(std::move(path)) {}

  bool exists(const std::string& name) const override {
    check_relative_name(name);
    return ::access(describe(name).c_str(), F_OK) == 0;
  }
  std::unique_ptr<File> open(const std::string& name) const override {
    check_relative_name(name);
    return open_file(describe(name));
  }
  std::string describe(const std::string& name) const override { return path_ + "/" + name; }
  bool lasts() const override { return true; }

 private:
  std::string path_;
};

}  // namespace

std::unique_ptr<Source> open_folder(const std::string& path) {
  check(path.find('\0') == std::string::npos, ErrorCode::kInvalidArgument, "a path must not contain a NUL byte");
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) fail_to_open(path, errno);
  check(S_ISDIR(status.st_mode), ErrorCode::kBadFile, "expected a model folder at ", fjord::quoted(path, 300),
        ", got a file");
  return std::make_unique<FolderSource>(path);
}

std::unique_ptr<Source> open_memory(std::map<std::string, std::span<const std::byte>> files) {
  return open_storage(memory_storage(std::move(files)));
}

std::unique_ptr<File> open_file(const std::string& path) { return std::make_unique<DiskFile>(path); }

std::string read_text(const Source& source, const std::string& name, std::uint64_t limit) {
  const auto file = source.open(name);
  check(file->size() <= limit, ErrorCode::kBadFile, fjord::quoted(file->name(), 300), ": expected at most ", limit,
        " bytes, got ", file->size());
  std::string text(file->size(), '\0');
  file->read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace fjord::loading
