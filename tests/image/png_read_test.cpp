// read_png and read_png_mask: every kind of file against Pillow's bytes (tests/reference/pictures.py), damaged files,
// and limits.
#include <fjord/error.h>
#include <fjord/image.h>

#include "image/pictures.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

#include <gmock/gmock.h>

#include <zlib.h>

namespace fjord {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::hex;

std::string path_of(const std::string& name) { return FJORD_TEST_DATA "/pictures/" + name + ".png"; }

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class PngReadTest : public ::testing::TestWithParam<std::string> {};

TEST_P(PngReadTest, PixelsAreThoseOfPillow) {
  const auto& expected = testing::expected_pictures().at("files").at(GetParam());
  const auto image = read_png(path_of(GetParam()));
  EXPECT_EQ(image.width, expected.at("width"));
  EXPECT_EQ(image.height, expected.at("height"));
  EXPECT_EQ(hex(image.pixels), expected.at("rgb"));
  EXPECT_EQ(hex(read_png_mask(path_of(GetParam())).values), expected.at("luma"));
  EXPECT_EQ(hex(read_png_mask(path_of(GetParam()), MaskSource::kErased).values), expected.at("erased"));
}

// A file cut at any place is an error; so is one with any byte changed, or its picture is still whole.
TEST_P(PngReadTest, DamageIsAnErrorOrHarmless) {
  const auto whole = bytes_of(path_of(GetParam()));
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(error_of([&] { decode_png(whole.data(), size); }).code(), ErrorCode::kBadFile) << size;
  }
  const auto pixels = decode_png(whole.data(), whole.size()).pixels.size();
  for (size_t i = 0; i < whole.size(); ++i) {
    auto broken = whole;
    broken[i] = static_cast<char>(broken[i] ^ 0x55);
    try {
      EXPECT_EQ(decode_png(broken.data(), broken.size()).pixels.size(), pixels) << i;
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::kBadFile || error.code() == ErrorCode::kUnsupported) << i;
    }
  }
}

std::vector<std::string> file_names() {
  std::vector<std::string> names;
  for (const auto& item : testing::expected_pictures().at("files").items()) names.push_back(item.key());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Files, PngReadTest, ::testing::ValuesIn(file_names()),
                         [](const auto& each) { return each.param; });

std::string big_endian(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}

std::string chunk(const std::string& type, const std::string& data) {
  const auto body = type + data;
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body + big_endian(static_cast<std::uint32_t>(sum));
}

std::string header_of(std::uint32_t width, std::uint32_t height) {
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", big_endian(width) + big_endian(height) + std::string("\x08\x02\0\0\0", 5));
}

Error error_for(const std::string& bytes) {
  return error_of([&] { decode_png(bytes.data(), bytes.size()); });
}

TEST(PngLimitTest, HugePicturesAreRefusedByTheirHeader) {
  for (const auto& [width, height] : {std::pair{30000u, 30000u}, {8193u, 1u}, {1u, 0x7fffffffu}, {8192u, 8193u}}) {
    const auto error = error_for(header_of(width, height) + chunk("IDAT", "x"));
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported) << width;
    EXPECT_THAT(error.what(), HasSubstr("expected at most 8192 a side"));
  }
}

TEST(PngLimitTest, SizesThatAreNoneAreDamage) {
  EXPECT_EQ(error_for(header_of(0, 5) + chunk("IDAT", "x")).code(), ErrorCode::kBadFile);
  EXPECT_EQ(error_for(header_of(1, 0x80000000u) + chunk("IDAT", "x")).code(), ErrorCode::kBadFile);
}

TEST(PngLimitTest, ManyTextChunksCostNothing) {
  const auto plain = bytes_of(path_of("rgb"));
  const auto header_size = header_of(1, 1).size();
  std::string texts;
  for (int i = 0; i < 100000; ++i) texts += chunk("zTXt", std::string("k\0\0zz", 5));
  const auto bytes = plain.substr(0, header_size) + texts + plain.substr(header_size);
  EXPECT_EQ(decode_png(bytes.data(), bytes.size()).pixels, read_png(path_of("rgb")).pixels);
}

TEST(PngReadErrorTest, NamesTheFileAndTheProblem) {
  const testing::TempFolder folder;
  EXPECT_EQ(error_of([&] { read_png(folder.file("none.png")); }).code(), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { read_png(folder.path()); }).code(), ErrorCode::kBadFile);
  const auto text = folder.write("text.png", "this is no picture");
  EXPECT_THAT(error_of([&] { read_png(text); }).what(), HasSubstr("text.png\" is not a PNG file"));
  EXPECT_THAT(error_of([&] { read_png_mask(folder.write("empty.png", "")); }).what(), HasSubstr("is not a PNG file"));
  const auto cut = folder.write("cut.png", bytes_of(path_of("rgb")).substr(0, 150));
  EXPECT_THAT(error_of([&] { read_png(cut); }).what(), HasSubstr("cut.png\" is damaged"));
}

TEST(PngReadErrorTest, APictureThatWasWrittenReadsBack) {
  const testing::TempFolder folder;
  const auto image = testing::noise_image(31, 17);
  write_png(folder.file("a.png"), image);
  EXPECT_EQ(read_png(folder.file("a.png")).pixels, image.pixels);
}

}  // namespace
}  // namespace fjord
