// The host's own storage as a Source.
#include <fjord/storage.h>

#include "core/check.h"
#include "loading/source.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace fjord {
namespace {

class Buffer : public StoredFile {
 public:
  explicit Buffer(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  }

 private:
  std::span<const std::byte> bytes_;
};

class Buffers : public Storage {
 public:
  explicit Buffers(std::map<std::string, std::span<const std::byte>> files) : files_(std::move(files)) {}
  std::unique_ptr<StoredFile> open(const std::string& name) const override {
    const auto found = files_.find(name);
    return found == files_.end() ? nullptr : std::make_unique<Buffer>(found->second);
  }

 private:
  std::map<std::string, std::span<const std::byte>> files_;
};

// Runs code of the host; what it throws becomes an Error that names the file.
template <typename Call>
auto asked(const std::string& name, Call&& call) {
  try {
    return std::forward<Call>(call)();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    fail(ErrorCode::kBadFile, "the storage could not read ", quoted(name, 300), ": ", error.what());
  } catch (...) {
    fail(ErrorCode::kBadFile, "the storage could not read ", quoted(name, 300));
  }
}

class HostFile : public loading::File {
 public:
  HostFile(std::string name, std::unique_ptr<StoredFile> file) : name_(std::move(name)), file_(std::move(file)) {
    size_ = asked(name_, [this] { return file_->size(); });
  }
  std::uint64_t size() const override { return size_; }
  const std::string& name() const override { return name_; }
  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check(offset <= size_ && out.size() <= size_ - offset, ErrorCode::kBadFile, quoted(name_, 300), " has ", size_,
          " bytes, expected ", out.size(), " more from byte ", offset);
    asked(name_, [&] { file_->read(offset, out); });
  }

 private:
  std::string name_;
  std::unique_ptr<StoredFile> file_;
  std::uint64_t size_ = 0;
};

class HostSource : public loading::Source {
 public:
  explicit HostSource(std::shared_ptr<const Storage> storage) : storage_(std::move(storage)) {}
  bool exists(const std::string& name) const override { return find(name) != nullptr; }
  std::unique_ptr<loading::File> open(const std::string& name) const override {
    auto file = find(name);
    check(file != nullptr, ErrorCode::kNotFound, "there is no ", quoted(name, 300), " in the storage");
    return std::make_unique<HostFile>(name, std::move(file));
  }
  std::string describe(const std::string& name) const override { return name; }

 private:
  std::unique_ptr<StoredFile> find(const std::string& name) const {
    return asked(name, [&] { return storage_->open(name); });
  }

  std::shared_ptr<const Storage> storage_;
};

}  // namespace

std::shared_ptr<const Storage> memory_storage(std::map<std::string, std::span<const std::byte>> files) {
  return std::make_shared<Buffers>(std::move(files));
}

namespace loading {

std::unique_ptr<Source> open_storage(std::shared_ptr<const Storage> storage) {
  check(storage != nullptr, ErrorCode::kInvalidArgument, "expected a storage, got null");
  return std::make_unique<HostSource>(std::move(storage));
}

}  // namespace loading
}  // namespace fjord
