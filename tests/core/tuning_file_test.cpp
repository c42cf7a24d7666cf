#include "core/tuning_file.h"

#include "support/temp_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace fjord {
namespace {

using ::testing::HasSubstr;

class TuningFileTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name = "below/products.txt") const { return folder_.path() + "/" + name; }
  std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path()).rdbuf();
    return out.str();
  }
  void write(const std::string& text) const { std::ofstream(path()) << text; }
  // A file with two entries.
  void fill() const {
    TuningFile file(path(), "GPU 1");
    file.put("product 8x8", "00ff");
    file.put("convolution", "libtorch");
    file.save();
    EXPECT_EQ(file.note(), "");
  }

  testing::TempFolder folder_;
};

TEST_F(TuningFileTest, KeepsWhatWasPut) {
  EXPECT_FALSE(TuningFile(path(), "GPU 1").find("product 8x8"));
  fill();
  const TuningFile again(path(), "GPU 1");
  EXPECT_EQ(again.find("product 8x8"), "00ff");
  EXPECT_EQ(again.find("convolution"), "libtorch");
  EXPECT_FALSE(again.find("product"));
  EXPECT_EQ(again.note(), "");
}

TEST_F(TuningFileTest, DoesNotBelieveAnotherGpus) {
  fill();
  TuningFile other(path(), "GPU 2");
  EXPECT_FALSE(other.find("product 8x8"));
  EXPECT_THAT(other.note(), HasSubstr("was found for \"GPU 1\" and is not used for \"GPU 2\""));
  other.put("product 8x8", "11");
  other.save();
  EXPECT_EQ(TuningFile(path(), "GPU 2").find("product 8x8"), "11");
}

TEST_F(TuningFileTest, DoesNotBelieveADamagedOne) {
  fill();
  const auto whole = text();
  auto changed = whole;
  changed[changed.find("00ff")] = '1';
  for (const auto& damaged : {whole.substr(0, whole.size() / 2), changed, std::string("{}"), std::string(),
                              whole.substr(0, whole.find("end "))}) {
    write(damaged);
    const TuningFile file(path(), "GPU 1");
    EXPECT_FALSE(file.find("product 8x8")) << damaged;
    EXPECT_FALSE(file.find("convolution")) << damaged;
    EXPECT_THAT(file.note(), HasSubstr("is damaged and is not used"));
  }
}

TEST_F(TuningFileTest, SaysWhatKeepsItFromWriting) {
  TuningFile file("/proc/fjord/products.txt", "GPU 1");
  file.put("a", "b");
  file.save();
  EXPECT_THAT(file.note(), HasSubstr("what was found fastest is not kept"));
  EXPECT_EQ(file.find("a"), "b");
}

TEST_F(TuningFileTest, LiesWhereTheEnvironmentSays) {
  const auto set = [](const char* name, const char* value) { setenv(name, value, 1); };
  const std::string home = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "";
  set("FJORD_CUDA_CACHE", "/somewhere");
  EXPECT_EQ(tuning_path("x.txt"), "/somewhere/x.txt");
  set("FJORD_CUDA_CACHE", "off");
  EXPECT_EQ(tuning_path("x.txt"), "");
  unsetenv("FJORD_CUDA_CACHE");
  set("XDG_CACHE_HOME", "/cache");
  EXPECT_EQ(tuning_path("x.txt"), "/cache/fjord/x.txt");
  unsetenv("XDG_CACHE_HOME");
  set("HOME", "/home/someone");
  EXPECT_EQ(tuning_path("x.txt"), "/home/someone/.cache/fjord/x.txt");
  set("HOME", home.c_str());
  TuningFile nowhere("", "GPU 1");
  nowhere.put("a", "b");
  nowhere.save();
  EXPECT_EQ(nowhere.note(), "");
}

}  // namespace
}  // namespace fjord
