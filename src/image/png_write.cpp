// Writes PNG files through libpng: encoded in memory, then written to disk in one atomic step.
// libpng reports errors by longjmp: the frame that it jumps back to, and all below it, hold nothing with a destructor.
#include "core/check.h"
#include "core/files.h"
#include "image/latin1.h"

#include <fjord/image.h>

#include <png.h>
#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <new>
#include <string_view>

namespace fjord {
namespace {

constexpr int kMaxSide = 1'000'000;  // libpng's own limit
constexpr size_t kMaxKeyword = 79;

// One text chunk, in the encoding that it is stored in.
struct StoredText {
  std::string keyword;
  std::string value;
  int compression = PNG_TEXT_COMPRESSION_NONE;
};

// What libpng's callbacks reach.
struct Encoder {
  const Image* image = nullptr;
  png_text* texts = nullptr;
  int text_count = 0;
  std::vector<std::uint8_t> bytes;
  bool out_of_memory = false;
  char message[160] = "";
};

bool append(Encoder& encoder, const png_byte* data, size_t size) noexcept {
  try {
    encoder.bytes.insert(encoder.bytes.end(), data, data + size);
  } catch (const std::bad_alloc&) {
    encoder.out_of_memory = true;
  }
  return !encoder.out_of_memory;
}

void on_write(png_structp png, png_bytep data, size_t size) {
  if (!append(*static_cast<Encoder*>(png_get_io_ptr(png)), data, size)) png_error(png, "out of memory");
}

void on_flush(png_structp) {}

void on_error(png_structp png, png_const_charp message) {
  auto* encoder = static_cast<Encoder*>(png_get_error_ptr(png));
  std::strncpy(encoder->message, message, sizeof encoder->message - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

// The frame that errors jump back to. Returns false after an error.
bool encode(png_structp png, png_infop info, Encoder* encoder) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  const auto width = static_cast<png_uint_32>(encoder->image->width);
  const auto height = static_cast<png_uint_32>(encoder->image->height);
  png_set_write_fn(png, encoder, on_write, on_flush);
  png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (encoder->text_count > 0) png_set_text(png, info, encoder->texts, encoder->text_count);
  png_write_info(png, info);
  for (png_uint_32 row = 0; row < height; ++row) {
    png_write_row(png, encoder->image->pixels.data() + size_t{row} * width * 3);
  }
  png_write_end(png, nullptr);
  return true;
}

// libpng's two objects of one file.
struct PngWriter {
  png_structp png;
  png_infop info;

  explicit PngWriter(Encoder& encoder)
      : png(png_create_write_struct(PNG_LIBPNG_VER_STRING, &encoder, on_error, on_warning)),
        info(png == nullptr ? nullptr : png_create_info_struct(png)) {}
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;
  ~PngWriter() { png_destroy_write_struct(&png, &info); }
};

void check_image(const Image& image) {
  const bool sane = image.width >= 1 && image.height >= 1 && image.width <= kMaxSide && image.height <= kMaxSide;
  check(sane, ErrorCode::kInvalidArgument, "expected an image of 1 to ", kMaxSide, " pixels a side, got ", image.width,
        "x", image.height);
  const size_t expected = static_cast<size_t>(image.width) * static_cast<size_t>(image.height) * 3;
  check(image.pixels.size() == expected, ErrorCode::kInvalidArgument, "expected ", expected, " bytes for an image of ",
        image.width, "x", image.height, " RGB pixels, got ", image.pixels.size());
}

bool is_keyword_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte <= 0x7e) || byte >= 0xa1;
}

// Keywords follow section 11.3.3.1: printable Latin-1, no space at either end and no two in a row.
std::string stored_keyword(const std::string& keyword) {
  const std::string latin1 = utf8_to_latin1(keyword).value_or("");
  const bool sane = !latin1.empty() && latin1.size() <= kMaxKeyword &&
                    std::all_of(latin1.begin(), latin1.end(), is_keyword_byte) && latin1.front() != ' ' &&
                    latin1.back() != ' ' && latin1.find("  ") == std::string::npos;
  check(sane, ErrorCode::kInvalidArgument,
        "expected a PNG keyword of 1 to 79 printable Latin-1 characters with single spaces inside, got ",
        quoted(keyword));
  return latin1;
}

StoredText stored_text(const std::string& keyword, const std::string& value) {
  check(value.find('\0') == std::string::npos, ErrorCode::kInvalidArgument, "PNG text ", quoted(keyword),
        " contains a zero byte, which PNG cannot store");
  check(is_utf8(value), ErrorCode::kInvalidArgument, "PNG text ", quoted(keyword), " is not UTF-8");
  if (auto latin1 = utf8_to_latin1(value)) return {stored_keyword(keyword), std::move(*latin1)};
  return {stored_keyword(keyword), value, PNG_ITXT_COMPRESSION_NONE};
}

std::vector<std::uint8_t> encode_png(const Image& image, std::vector<StoredText>& stored) {
  std::vector<png_text> texts;
  for (StoredText& text : stored) {
    png_text entry{};
    entry.compression = text.compression;
    entry.key = text.keyword.data();
    entry.text = text.value.data();
    texts.push_back(entry);
  }
  Encoder encoder;
  encoder.image = &image;
  encoder.texts = texts.data();
  encoder.text_count = static_cast<int>(texts.size());
  const PngWriter writer(encoder);
  check(writer.info != nullptr, ErrorCode::kOutOfMemory, "out of memory while encoding a PNG file");
  const bool done = encode(writer.png, writer.info, &encoder);
  check(!encoder.out_of_memory, ErrorCode::kOutOfMemory, "out of memory while encoding a PNG file");
  check(done, ErrorCode::kInternal, "libpng could not encode the picture: ", std::string_view(encoder.message));
  return std::move(encoder.bytes);
}

}  // namespace

void write_png(const std::string& path, const Image& image, const PngText& text) {
  check_image(image);
  std::vector<StoredText> stored;
  for (const auto& [keyword, value] : text) stored.push_back(stored_text(keyword, value));
  const std::vector<std::uint8_t> bytes = encode_png(image, stored);
  write_file_atomically(path, [&](int fd) { write_all(fd, bytes.data(), bytes.size(), path); });
}

}  // namespace fjord
