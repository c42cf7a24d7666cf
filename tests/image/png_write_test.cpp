// write_png(): pixels by libpng's simplified reader, text by our own, and the refusals.
#include <fjord/error.h>
#include <fjord/image.h>

#include <gtest/gtest.h>

#include <png.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace fjord {
namespace {

Image picture(int width, int height) {
  Image image{width, height, {}};
  std::uint32_t state = 1;
  for (int i = 0; i < width * height * 3; ++i) {
    state = state * 1664525u + 1013904223u;
    image.pixels.push_back(static_cast<std::uint8_t>(state >> 24));
  }
  return image;
}

Image read_by_libpng(const std::string& path) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_file(&png, path.c_str()), 0) << png.message;
  EXPECT_EQ(png.format, PNG_FORMAT_RGB + 0u);
  Image image{static_cast<int>(png.width), static_cast<int>(png.height), {}};
  image.pixels.resize(PNG_IMAGE_SIZE(png));
  EXPECT_NE(png_image_finish_read(&png, nullptr, image.pixels.data(), 0, nullptr), 0) << png.message;
  return image;
}

class PngWriteTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/fjord_png_XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  ErrorCode code_of(const std::string& path, const Image& image, const PngText& text = {}) {
    try {
      write_png(path, image, text);
    } catch (const Error& error) {
      message_ = error.what();
      return error.code();
    }
    ADD_FAILURE() << "no error for " << path;
    return ErrorCode::kInternal;
  }
  size_t files() const {
    const std::filesystem::directory_iterator entries(folder_);
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
  }

  std::string folder_;
  std::string message_;
};

TEST_F(PngWriteTest, PixelsAreWhatLibpngReads) {
  for (const auto& [width, height] : {std::pair{1, 1}, {64, 64}, {17, 5}, {1, 300}}) {
    const Image image = picture(width, height);
    write_png(folder_ + "/a.png", image);
    const Image back = read_by_libpng(folder_ + "/a.png");
    EXPECT_EQ(back.width, width);
    EXPECT_EQ(back.height, height);
    EXPECT_EQ(back.pixels, image.pixels);
  }
}

TEST_F(PngWriteTest, TextRoundTrips) {
  const PngText text = {
      {"parameters", "caf\u00e9\nNegative prompt: b\u00e9ton\nSteps: 20"},
      {"fjord", "{\"prompt\": \"\u5c71\u306e\u5ddd \U0001f3d4\"}"},
      {"Cl\u00e9 fine", "x"},
      {"Empty", ""},
      {"Long", std::string(1 << 20, 'y') + "\u0416"},
      {std::string(79, 'k'), "longest keyword"},
  };
  write_png(folder_ + "/a.png", picture(3, 3), text);
  EXPECT_EQ(read_png_text(folder_ + "/a.png"), text);
  EXPECT_EQ(read_png(folder_ + "/a.png").pixels, picture(3, 3).pixels);
}

TEST_F(PngWriteTest, Latin1TextBecomesTextChunksAndOtherTextInternationalOnes) {
  const auto bytes_with = [&](const std::string& value) {
    write_png(folder_ + "/a.png", picture(1, 1), {{"k", value}});
    std::ifstream file(folder_ + "/a.png", std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  EXPECT_NE(bytes_with("\u00e9").find(std::string("tEXtk\0\xe9", 7)), std::string::npos);
  EXPECT_NE(bytes_with("\u0416").find(std::string("iTXtk\0\0\0\0\0\xd0\x96", 12)), std::string::npos);
}

TEST_F(PngWriteTest, ImagesWhoseSizesContradictAreRefused) {
  const std::string path = folder_ + "/a.png";
  EXPECT_EQ(code_of(path, Image{}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(path, Image{0, 3, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(path, Image{-1, -1, {0, 0, 0}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(path, Image{2, 2, std::vector<std::uint8_t>(11)}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(path, Image{1'000'001, 1, std::vector<std::uint8_t>(3'000'003)}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(path, Image{2147483647, 2147483647, {1, 2, 3}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(files(), 0u);
}

TEST_F(PngWriteTest, TextThatPngCannotStoreIsRefused) {
  const std::string path = folder_ + "/a.png";
  for (const std::string& keyword :
       {std::string(), std::string(80, 'k'), std::string(" k"), std::string("k "), std::string("a  b"),
        std::string("a\nb"), std::string("\u0416"), std::string("a\xff"), std::string("a\u00a0")}) {
    EXPECT_EQ(code_of(path, picture(1, 1), {{keyword, "x"}}), ErrorCode::kInvalidArgument) << keyword;
  }
  EXPECT_EQ(code_of(path, picture(1, 1), {{"k", std::string("a\0b", 3)}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(path, picture(1, 1), {{"k", "\xc3\x28"}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(files(), 0u);
}

TEST_F(PngWriteTest, UnwritableTargetsLeaveNothingBehind) {
  const Image image = picture(4, 4);
  EXPECT_EQ(code_of(folder_, image), ErrorCode::kCannotWrite);
  EXPECT_EQ(code_of(folder_ + "/missing/a.png", image), ErrorCode::kCannotWrite);
  EXPECT_EQ(code_of(folder_ + "/" + std::string(300, 'n') + ".png", image), ErrorCode::kCannotWrite);
  EXPECT_EQ(code_of("/dev/full", image), ErrorCode::kCannotWrite);
  EXPECT_EQ(code_of("", image), ErrorCode::kCannotWrite);
  EXPECT_EQ(files(), 0u);
}

TEST_F(PngWriteTest, TwoThreadsOnOnePathLeaveOneWholeFile) {
  const std::string path = folder_ + "/a.png";
  const auto write = [&](int size) {
    for (int i = 0; i < 50; ++i) write_png(path, picture(size, size));
  };
  std::thread other(write, 32);
  write(48);
  other.join();
  const Image image = read_by_libpng(path);
  EXPECT_EQ(image.pixels, picture(image.width, image.height).pixels);
  EXPECT_EQ(files(), 1u);
}

}  // namespace
}  // namespace fjord
