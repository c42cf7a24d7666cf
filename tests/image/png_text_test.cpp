// read_png_text() on files written by Pillow, and on damaged copies of them.
#include <fjord/error.h>
#include <fjord/image.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <zlib.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace fjord {
namespace {

const std::string kFolder = FJORD_TEST_DATA "/png/";

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A file in a temporary folder that goes away with it.
class PngTextTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/fjord_png_XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string save(const std::string& bytes) {
    const std::string path = folder_ + "/file.png";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  // The code of the error that reading `bytes` gives; fails the test where there is none.
  ErrorCode code_of(const std::string& bytes) {
    try {
      read_png_text(save(bytes));
    } catch (const Error& error) {
      message_ = error.what();
      return error.code();
    }
    ADD_FAILURE() << "no error for " << bytes.size() << " bytes";
    return ErrorCode::kInternal;
  }

  std::string folder_;
  std::string message_;
};

std::string big_endian(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}

std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body + big_endian(static_cast<std::uint32_t>(sum));
}

// plain.png with `extra` between its header and its picture.
std::string with_chunk(const std::string& extra) {
  std::string bytes = read_file(kFolder + "plain.png");
  return bytes.insert(8 + 25, extra);
}

std::string deflate(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size());
  out.resize(size);
  return out;
}

TEST_F(PngTextTest, ReadsWhatPillowWrote) {
  const auto expected = nlohmann::json::parse(read_file(kFolder + "texts.json"));
  ASSERT_EQ(expected.size(), 5u);
  for (const auto& [name, texts] : expected.items()) {
    EXPECT_EQ(read_png_text(kFolder + name), texts.get<PngText>()) << name;
  }
}

TEST_F(PngTextTest, EveryTruncationIsABadFile) {
  for (const char* name : {"latin1.png", "zipped.png"}) {
    const std::string whole = read_file(kFolder + name);
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_EQ(code_of(whole.substr(0, size)), ErrorCode::kBadFile) << name << " cut to " << size;
    }
  }
}

TEST_F(PngTextTest, EveryFlippedBitIsABadFile) {
  const std::string whole = read_file(kFolder + "latin1.png");
  for (size_t i = 0; i < whole.size() * 8; ++i) {
    std::string bytes = whole;
    bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ (1 << i % 8));
    EXPECT_EQ(code_of(bytes), ErrorCode::kBadFile) << "bit " << i;
  }
}

TEST_F(PngTextTest, OtherFilesAreBadFiles) {
  EXPECT_EQ(code_of("not a picture at all"), ErrorCode::kBadFile);
  EXPECT_NE(message_.find("not a PNG file"), std::string::npos) << message_;
  try {
    read_png_text(folder_ + "/missing.png");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
  for (const std::string& path : {folder_, std::string("/dev/zero")}) {
    try {
      read_png_text(path);
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadFile) << path;
    }
  }
}

TEST_F(PngTextTest, ChunksThatLieAreBadFiles) {
  using namespace std::string_literals;
  EXPECT_EQ(read_png_text(save(with_chunk(chunk("tEXt", "a\0b"s)))).at("a"), "b");
  for (const std::string& bad : {chunk("tEXt", "keyword without an end"), chunk("tEXt", "\0no keyword"s),
                                 chunk("tEXt", std::string(80, 'k') + "\0x"s), chunk("zTXt", "k\0\1"s + deflate("x")),
                                 chunk("zTXt", "k\0\0not deflated"s), chunk("zTXt", "k\0"s), chunk("iTXt", "k\0\0"s),
                                 chunk("iTXt", "k\0\0\0en"s), chunk("iTXt", "k\0\0\0\0\0\xff"s), chunk("t3Xt", ""),
                                 "\xff\xff\xff\xfftEXt"s, "\x7f\xff\xff\xfftEXt"s, "\x7f\xff\xff\xffjunk"s}) {
    EXPECT_EQ(code_of(with_chunk(bad)), ErrorCode::kBadFile) << bad;
  }
  const std::string plain = read_file(kFolder + "plain.png");
  EXPECT_EQ(code_of(plain.substr(0, 33) + chunk("IEND", "")), ErrorCode::kBadFile);
  EXPECT_EQ(code_of(plain.substr(0, 8) + chunk("IEND", "")), ErrorCode::kBadFile);
}

TEST_F(PngTextTest, TextBombsAreRefusedBeforeMemoryIsTaken) {
  using namespace std::string_literals;
  const size_t limit = size_t{4} << 20;
  EXPECT_EQ(read_png_text(save(with_chunk(chunk("zTXt", "k\0\0"s + deflate(std::string(limit, 'x')))))).at("k").size(),
            limit);
  EXPECT_EQ(code_of(with_chunk(chunk("zTXt", "k\0\0"s + deflate(std::string(limit + 1, 'x'))))), ErrorCode::kBadFile);
  EXPECT_EQ(code_of(with_chunk(chunk("tEXt", "k\0"s + std::string(limit, 'x')))), ErrorCode::kBadFile);
  std::string many;
  for (int i = 0; i < 5; ++i) many += chunk("zTXt", "k\0\0"s + deflate(std::string(limit, 'x')));
  EXPECT_EQ(code_of(with_chunk(many)), ErrorCode::kBadFile);
}

}  // namespace
}  // namespace fjord
