// Where files come from: folders, buffers, and all that is no plain file.
#include "loading/source.h"

#include "support/error_of.h"
#include "support/temp_folder.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

namespace fjord {
namespace {

using loading::open_file;
using loading::open_folder;
using loading::read_text;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TempFolder;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(SourceTest, FolderAndMemoryReadTheSame) {
  const TempFolder folder;
  folder.write("unet/config.json", "{\"a\": 1}");
  const auto disk = open_folder(folder.path());
  const auto memory = loading::open_memory({{"unet/config.json", bytes_of("{\"a\": 1}")}});
  for (const auto* source : {disk.get(), memory.get()}) {
    EXPECT_TRUE(source->exists("unet/config.json"));
    EXPECT_FALSE(source->exists("vae/config.json"));
    EXPECT_EQ(read_text(*source, "unet/config.json", 8), "{\"a\": 1}");
    EXPECT_EQ(error_of([&] { read_text(*source, "unet/config.json", 7); }).code(), ErrorCode::kBadFile);
    EXPECT_EQ(error_of([&] { source->open("vae/config.json"); }).code(), ErrorCode::kNotFound);
    std::byte more[4];
    EXPECT_EQ(error_of([&] { source->open("unet/config.json")->read_at(6, more); }).code(), ErrorCode::kBadFile);
    EXPECT_EQ(error_of([&] { source->open("unet/config.json")->read_at(~std::uint64_t{0}, more); }).code(),
              ErrorCode::kBadFile);
  }
}

TEST(SourceTest, NamesThatLeaveTheFolderAreRefused) {
  const TempFolder folder;
  folder.write("secret", "x");
  std::filesystem::create_directory(folder.file("model"));
  const auto source = open_folder(folder.file("model"));
  for (const std::string name :
       {"../secret", "a/../../secret", "/etc/passwd", "..", ".", "", "a//b", "a\\b", "C:\\x", "\\\\server\\x", "a/"}) {
    EXPECT_EQ(error_of([&] { source->open(name); }).code(), ErrorCode::kBadFile) << name;
    EXPECT_EQ(error_of([&] { source->exists(name); }).code(), ErrorCode::kBadFile) << name;
  }
  EXPECT_EQ(error_of([&] { source->open(std::string("a\0b", 3)); }).code(), ErrorCode::kBadFile);
}

TEST(SourceTest, OnlyRegularFilesAreOpened) {
  const TempFolder folder;
  ASSERT_EQ(mkfifo(folder.file("pipe").c_str(), 0600), 0);
  EXPECT_THAT(error_of([&] { open_file(folder.file("pipe")); }).what(), HasSubstr("regular file"));
  EXPECT_THAT(error_of([] { open_file("/dev/zero"); }).what(), HasSubstr("regular file"));
  EXPECT_THAT(error_of([&] { open_file(folder.path()); }).what(), HasSubstr("got a folder"));
}

TEST(SourceTest, LinksAreFollowed) {
  const TempFolder folder;
  folder.write("blobs/1", "text");
  std::filesystem::create_symlink("blobs/1", folder.file("config.json"));
  EXPECT_EQ(read_text(*open_folder(folder.path()), "config.json", 10), "text");
}

TEST(SourceTest, FoldersThatAreNone) {
  const TempFolder folder;
  folder.write("file", "x");
  EXPECT_EQ(error_of([&] { open_folder(folder.file("none")); }).code(), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { open_folder(folder.file("file")); }).code(), ErrorCode::kBadFile);
  EXPECT_EQ(error_of([&] { open_folder(folder.file("file/below")); }).code(), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([] { open_folder(std::string("a\0b", 3)); }).code(), ErrorCode::kInvalidArgument);
}

TEST(SourceTest, AFileThatShrinksIsAnError) {
  const TempFolder folder;
  const auto file = open_file(folder.write("a", "0123456789"));
  std::filesystem::resize_file(folder.file("a"), 4);
  std::byte out[10];
  const auto error = error_of([&] { file->read_at(0, out); });
  EXPECT_EQ(error.code(), ErrorCode::kBadFile);
  EXPECT_THAT(error.what(), HasSubstr("ends at byte 4"));
}

}  // namespace
}  // namespace fjord
