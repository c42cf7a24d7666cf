#include "loading/source.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

#include <fjord/embeddings.h>
#include <fjord/inspect.h>
#include <fjord/storage.h>

#include <cstring>
#include <stdexcept>

namespace fjord {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

// A storage whose one file fails in the way that is asked for.
class BadStorage : public Storage {
 public:
  explicit BadStorage(const std::string& fault) : fault_(fault) {}
  std::unique_ptr<StoredFile> open(const std::string& name) const override {
    if (fault_ == "open") throw std::runtime_error("the pack is locked");
    if (name != "a") return nullptr;
    return std::make_unique<File>(fault_);
  }

 private:
  class File : public StoredFile {
   public:
    explicit File(const std::string& fault) : fault_(fault) {}
    std::uint64_t size() const override {
      if (fault_ == "size") throw std::runtime_error("no such entry");
      return 4;
    }
    void read(std::uint64_t /*offset*/, std::span<std::byte> /*out*/) const override {
      if (fault_ == "read") throw std::runtime_error("checksum");
      throw 7;
    }

   private:
    std::string fault_;
  };
  std::string fault_;
};

TEST(StorageTest, GivesTheBytesOfItsBuffers) {
  const std::string text = "abcdef";
  const auto source = loading::open_storage(memory_storage({{"x/y", bytes_of(text)}}));
  EXPECT_TRUE(source->exists("x/y"));
  EXPECT_FALSE(source->exists("x"));
  const auto file = source->open("x/y");
  char out[3];
  file->read_at(2, std::as_writable_bytes(std::span(out)));
  EXPECT_EQ(std::string(out, 3), "cde");
  EXPECT_EQ(error_of([&] { file->read_at(4, std::as_writable_bytes(std::span(out))); }).code(), ErrorCode::kBadFile);
  EXPECT_EQ(error_of([&] { source->open("x"); }).code(), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([] { loading::open_storage(nullptr); }).code(), ErrorCode::kInvalidArgument);
}

TEST(StorageTest, WhatTheHostThrowsNamesTheFile) {
  const auto read = [](const std::string& fault) {
    const auto source = loading::open_storage(std::make_shared<BadStorage>(fault));
    return error_of([&] { loading::read_text(*source, "a", 100); });
  };
  for (const auto& [fault, part] : std::map<std::string, std::string>{{"open", "the pack is locked"},
                                                                      {"size", "no such entry"},
                                                                      {"read", "checksum"},
                                                                      {"odd", "could not read"}}) {
    const auto error = read(fault);
    EXPECT_EQ(error.code(), ErrorCode::kBadFile);
    EXPECT_THAT(error.what(), HasSubstr(part));
    EXPECT_THAT(error.what(), HasSubstr("\"a\""));
  }
}

TEST(EmbeddingsTest, ComeBackFromFilesAndFromMemory) {
  const testing::TempFolder folder;
  const auto path = folder.file("e.safetensors");
  PromptEmbeddings wanted;
  wanted.positive = {{1, 2, 2}, {1, 2, 3, 4}};
  wanted.negative = {{1, 1, 2}, {5, 6}};
  write_embeddings(path, wanted);
  const auto text = [&] {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  for (const auto& got : {read_embeddings(path), read_embeddings(bytes_of(text))}) {
    EXPECT_EQ(got.positive.shape, wanted.positive.shape);
    EXPECT_EQ(got.positive.values, wanted.positive.values);
    EXPECT_EQ(got.negative.values, wanted.negative.values);
  }
  wanted.negative = {};
  write_embeddings(path, wanted);
  EXPECT_TRUE(read_embeddings(path).negative.values.empty());
}

TEST(EmbeddingsTest, OtherFilesAreRefused) {
  const testing::TempFolder folder;
  const auto path = folder.file("e.safetensors");
  write_arrays(path, {{"latents", {{1}, {0}}}});
  EXPECT_THAT(error_of([&] { read_embeddings(path); }).what(), HasSubstr("\"positive\""));
  write_arrays(path, {{"latents", {{1}, {0}}}, {"positive", {{1}, {0}}}});
  EXPECT_THAT(error_of([&] { read_embeddings(path); }).what(), HasSubstr("\"latents\""));
  EXPECT_EQ(error_of([] { read_embeddings(bytes_of("x")); }).code(), ErrorCode::kBadFile);
  EXPECT_EQ(error_of([&] { read_embeddings(folder.file("none")); }).code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace fjord
