// Models from the host's own storage: archives, encrypted packs, buffers in memory.
#pragma once

#include <fjord/export.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

namespace fjord {

// One file of a Storage. Reads may come from several threads at once.
class FJORD_API StoredFile {
 public:
  virtual ~StoredFile() = default;
  // Bytes in the file; stays the same for as long as the file is open.
  virtual std::uint64_t size() const = 0;
  // Fills `out` with the bytes from `offset`; the range lies within size(). May throw: any exception becomes
  // Error(kBadFile) with its text.
  virtual void read(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

// A set of files by name: relative paths with '/', e.g. "unet/config.json". Called from any thread.
class FJORD_API Storage {
 public:
  virtual ~Storage() = default;
  // Null if there is no file of that name. May throw: any exception becomes Error(kBadFile) with its text.
  virtual std::unique_ptr<StoredFile> open(const std::string& name) const = 0;
};

// Borrowed buffers by name; they must stay until the last Pipeline loaded from them with drop_text_encoder is gone, for
// others until load() returns.
FJORD_API std::shared_ptr<const Storage> memory_storage(std::map<std::string, std::span<const std::byte>> files);

}  // namespace fjord
