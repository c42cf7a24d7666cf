// Files appear whole or not at all.
#include "core/files.h"

#include <fjord/error.h>

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace fjord {
namespace {

namespace fs = std::filesystem;

class FilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "fjord-files-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string content(const std::string& name) const {
    std::ifstream file(path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  size_t entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  void write(const std::string& name, const std::string& text) const {
    write_file_atomically(path(name), [&](int fd) { write_all(fd, text.data(), text.size(), name); });
  }

  fs::path folder_;
};

TEST_F(FilesTest, WritesAndReplaces) {
  write("a", "first");
  write("a", "second");
  EXPECT_EQ(content("a"), "second");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FilesTest, FailureInTheMiddleKeepsTheOldFile) {
  write("a", "first");
  EXPECT_THROW(write_file_atomically(path("a"),
                                     [](int fd) {
                                       write_all(fd, "half", 4, "a");
                                       throw std::runtime_error("stopped");
                                     }),
               std::runtime_error);
  EXPECT_EQ(content("a"), "first");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(FilesTest, KeepsTheModeOfAReplacedFile) {
  write("a", "first");
  ASSERT_EQ(chmod(path("a").c_str(), 0640), 0);
  write("a", "second");
  EXPECT_EQ(fs::status(path("a")).permissions(), fs::perms(0640));
}

TEST_F(FilesTest, RefusesPlacesThatCannotBeWritten) {
  fs::create_directory(folder_ / "folder");
  for (const auto& target :
       {path("folder"), path("missing/a"), std::string("/dev/full"), path(std::string(300, 'x'))}) {
    try {
      write_file_atomically(target, [](int) {});
      ADD_FAILURE() << target;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCannotWrite) << target;
    }
  }
  EXPECT_EQ(entries(), 1U);
}

}  // namespace
}  // namespace fjord
