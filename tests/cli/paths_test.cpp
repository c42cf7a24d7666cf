// Names of output files, and whether they can be written.
#include "cli/paths.h"

#include "cli/output.h"

#include <fjord/error.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace fjord::cli {
namespace {

TEST(PathsTest, SeveralPicturesAreNumberedBeforeTheExtension) {
  EXPECT_EQ(numbered_path("out.png", 0, 1), "out.png");
  EXPECT_EQ(numbered_path("out.png", 0, 2), "out-1.png");
  EXPECT_EQ(numbered_path("a.b/out", 11, 12), "a.b/out-12");
  EXPECT_EQ(numbered_path("a.b/.hidden", 1, 2), "a.b/.hidden-2");
  EXPECT_EQ(numbered_path("x.tar.png", 1, 2), "x.tar-2.png");
  EXPECT_EQ(with_suffix("dir/pic.png", "-replay"), "dir/pic-replay.png");
}

TEST(PathsTest, WritableTargetsPassAndNothingIsCreated) {
  char name[] = "/tmp/fjord_cli_XXXXXX";
  ASSERT_NE(mkdtemp(name), nullptr);
  const std::string folder = name;
  std::ofstream(folder + "/old.png") << "old";
  check_writable(folder + "/new.png");
  check_writable(folder + "/old.png");
  for (const std::string& path : {folder, folder + "/none/a.png", folder + "/old.png/a.png", std::string("/dev/full"),
                                  std::string(), folder + "/" + std::string(252, 'n')}) {
    try {
      check_writable(path);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCannotWrite) << path;
    }
  }
  const std::filesystem::directory_iterator entries(folder);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
  std::filesystem::remove_all(folder);
}

TEST(PathsTest, OnlyTheModelOfTheSourceTreeIsLookedFor) {
  EXPECT_EQ(find_model("some/other/model"), "some/other/model");
  EXPECT_TRUE(std::filesystem::exists(find_model(kDefaultModel)));
}

TEST(OutputTest, ControlCharactersAreEscaped) {
  EXPECT_EQ(printable("a\x1b[31m\n\x7f\u00e9"), "a\\x1b[31m\\x0a\\x7f\u00e9");
  EXPECT_EQ(in_quotes("x"), "\"x\"");
  EXPECT_EQ(in_quotes(std::string(301, 'x')), "\"" + std::string(300, 'x') + "...\"");
}

}  // namespace
}  // namespace fjord::cli
