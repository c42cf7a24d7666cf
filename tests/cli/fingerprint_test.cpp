// Fingerprints tell models and latents apart.
#include "cli/fingerprint.h"

#include <fjord/error.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace fjord::cli {
namespace {

class FingerprintTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/fjord_cli_XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    std::filesystem::create_directory(folder_ + "/unet");
    save("model_index.json", "{}");
    save("unet/model.safetensors", std::string(1 << 20, 'w'));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void save(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << bytes;
  }

  std::string folder_;
};

TEST_F(FingerprintTest, StaysUntilAModelFileChanges) {
  std::set<std::string> seen = {model_fingerprint(folder_)};
  EXPECT_EQ(seen.begin()->size(), 16u);
  save("README.md", "no part of the model");
  EXPECT_TRUE(seen.contains(model_fingerprint(folder_)));
  EXPECT_TRUE(seen.contains(model_fingerprint(folder_ + "/")));
  save("model_index.json", "{ }");
  EXPECT_TRUE(seen.insert(model_fingerprint(folder_)).second);
  for (const size_t place : {size_t{0}, (size_t{1} << 20) - 1}) {  // the first and the last byte
    std::string bytes(1 << 20, 'w');
    bytes[place] = 'x';
    save("unet/model.safetensors", bytes);
    EXPECT_TRUE(seen.insert(model_fingerprint(folder_)).second) << place;
  }
  save("unet/model.safetensors", std::string((1 << 20) + 1, 'w'));
  EXPECT_TRUE(seen.insert(model_fingerprint(folder_)).second);
  std::filesystem::rename(folder_ + "/unet", folder_ + "/vae");
  EXPECT_TRUE(seen.insert(model_fingerprint(folder_)).second);
}

TEST_F(FingerprintTest, SmallFilesAndSingleFilesWork) {
  save("empty.json", "");
  EXPECT_EQ(model_fingerprint(folder_ + "/empty.json").size(), 16u);
  EXPECT_NE(model_fingerprint(folder_ + "/empty.json"), model_fingerprint(folder_ + "/model_index.json"));
}

TEST_F(FingerprintTest, MissingModelsAreNotFound) {
  try {
    model_fingerprint(folder_ + "/none");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

TEST_F(FingerprintTest, ArraysDifferByShapeAndValues) {
  EXPECT_EQ(array_fingerprint({{2, 1}, {1.f, 2.f}}), array_fingerprint({{2, 1}, {1.f, 2.f}}));
  EXPECT_NE(array_fingerprint({{2, 1}, {1.f, 2.f}}), array_fingerprint({{1, 2}, {1.f, 2.f}}));
  EXPECT_NE(array_fingerprint({{2, 1}, {1.f, 2.f}}), array_fingerprint({{2, 1}, {1.f, 3.f}}));
}

}  // namespace
}  // namespace fjord::cli
