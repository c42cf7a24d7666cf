// Where a model's files come from: a folder on disk, or the host's own storage. Reading is by pread, never by mmap: a
// mapped file that shrinks or sits on a failing disk kills the process, a failing read is an Error.
#pragma once

#include <fjord/storage.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fjord::loading {

// One readable file. Reads may come from several threads at once.
class File {
 public:
  virtual ~File() = default;
  virtual std::uint64_t size() const = 0;
  // Fills `out` from `offset`. Throws Error(kBadFile) if the file ends before or cannot be read.
  virtual void read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
  // The file's name for messages.
  virtual const std::string& name() const = 0;
};

// A set of named files. Names are relative paths with '/', e.g. "unet/config.json".
class Source {
 public:
  virtual ~Source() = default;
  virtual bool exists(const std::string& name) const = 0;
  // Throws Error: kNotFound, or kBadFile if it is no regular file or may not be read.
  virtual std::unique_ptr<File> open(const std::string& name) const = 0;
  // The name with the place in front, for messages.
  virtual std::string describe(const std::string& name) const = 0;
  // Whether it may be read again once the model is loaded; borrowed buffers may be gone by then.
  virtual bool lasts() const { return false; }
};

// The files below a folder. Names that are absolute, contain "..", '\\' or a NUL byte are refused; symbolic links are
// followed (docs/decisions/0002-paths-from-data.md). Throws Error(kNotFound) if `path` is no folder.
std::unique_ptr<Source> open_folder(const std::string& path);

// Borrowed buffers by name; they must outlive the Source and the Files it opens.
std::unique_ptr<Source> open_memory(std::map<std::string, std::span<const std::byte>> files);

// The host's own storage.
std::unique_ptr<Source> open_storage(std::shared_ptr<const Storage> storage);

// A single file on disk. Throws as Source::open.
std::unique_ptr<File> open_file(const std::string& path);

// The whole file as text. Throws Error(kBadFile) if it is larger than `limit` bytes.
std::string read_text(const Source& source, const std::string& name, std::uint64_t limit);

}  // namespace fjord::loading
