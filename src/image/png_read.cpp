// Reads pictures from PNG files through libpng, from memory, with limits told by the header.
// libpng reports errors by longjmp: the frames that it jumps over hold nothing with a destructor.
#include "core/check.h"
#include "image/file_bytes.h"
#include "image/luma.h"

#include <fjord/image.h>

#include <png.h>
#include <algorithm>
#include <csetjmp>
#include <cstring>

namespace fjord {
namespace {

constexpr png_uint_32 kMaxSide = 8192;
constexpr std::uint64_t kMaxPixels = std::uint64_t{1} << 26;
constexpr std::uint64_t kMaxFile = std::uint64_t{1} << 29;
constexpr png_alloc_size_t kMaxChunkMemory = png_alloc_size_t{1} << 24;
constexpr size_t kSignatureSize = 8;

enum class Channels { kRgb = 3, kRgba = 4 };

// What libpng's callbacks reach.
struct Source {
  const std::uint8_t* data = nullptr;
  size_t size = 0;
  size_t at = 0;
  char message[160] = "";
};

void on_read(png_structp png, png_bytep out, size_t size) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (size > source->size - source->at) png_error(png, "the file ends early");
  std::memcpy(out, source->data + source->at, size);
  source->at += size;
}

void on_error(png_structp png, png_const_charp message) {
  auto* source = static_cast<Source*>(png_get_error_ptr(png));
  std::strncpy(source->message, message, sizeof source->message - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

// libpng's two objects of one file.
struct PngReader {
  png_structp png;
  png_infop info;

  explicit PngReader(Source& source)
      : png(png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, on_error, on_warning)),
        info(png == nullptr ? nullptr : png_create_info_struct(png)) {}
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
};

// Up to the first chunk of pixels. Like read_rows, a frame that errors jump back to: false after an error.
bool read_header(png_structp png, png_infop info, Source* source) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_read_fn(png, source, on_read);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // our own limits have a better sentence
  png_set_chunk_malloc_max(png, kMaxChunkMemory);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);  // text, profiles: neither inflated nor kept
  png_read_info(png, info);
  return true;
}

bool read_rows(png_structp png, png_infop info, Channels channels, std::uint8_t* pixels) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_gray_to_rgb(png);
  if (channels == Channels::kRgb) {
    png_set_strip_alpha(png);
  } else {
    png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
  }
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const auto height = png_get_image_height(png, info);
  const auto row = size_t{png_get_image_width(png, info)} * static_cast<size_t>(channels);
  if (png_get_rowbytes(png, info) != row) png_error(png, "its rows do not convert to 8-bit RGB");
  for (int pass = 0; pass < passes; ++pass) {
    for (png_uint_32 y = 0; y < height; ++y) png_read_row(png, pixels + y * row, nullptr);
  }
  png_read_end(png, nullptr);
  return true;
}

struct Pixels {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> values;
};

Pixels decode(const void* data, size_t size, Channels channels, const std::string& name) {
  Source source;
  source.data = static_cast<const std::uint8_t*>(data);
  source.size = size;
  check(size >= kSignatureSize && png_sig_cmp(source.data, 0, kSignatureSize) == 0, ErrorCode::kBadFile, name,
        " is not a PNG file: its first 8 bytes are not the PNG signature");
  const PngReader reader(source);
  check(reader.info != nullptr, ErrorCode::kOutOfMemory, "out of memory while reading ", name);
  const auto damaged = [&] { fail(ErrorCode::kBadFile, name, " is damaged: ", std::string_view(source.message)); };
  if (!read_header(reader.png, reader.info, &source)) damaged();
  const auto width = png_get_image_width(reader.png, reader.info),
             height = png_get_image_height(reader.png, reader.info);
  check(std::max(width, height) <= kMaxSide && std::uint64_t{width} * height <= kMaxPixels, ErrorCode::kUnsupported,
        name, " has ", width, "x", height, " pixels; expected at most ", kMaxSide, " a side and ", kMaxPixels,
        " in all");
  Pixels out{static_cast<int>(width), static_cast<int>(height), {}};
  out.values.resize(size_t{width} * height * static_cast<size_t>(channels));
  if (!read_rows(reader.png, reader.info, channels, out.values.data())) damaged();
  return out;
}

}  // namespace

Image decode_png(const void* data, size_t size, const std::string& name) {
  auto pixels = decode(data, size, Channels::kRgb, name);
  return {pixels.width, pixels.height, std::move(pixels.values)};
}

Image read_png(const std::string& path) {
  const auto bytes = file_bytes(path, kMaxFile);
  return decode_png(bytes.data(), bytes.size(), quoted(path, 300));
}

Mask read_png_mask(const std::string& path, MaskSource source) {
  const auto bytes = file_bytes(path, kMaxFile);
  const auto pixels = decode(bytes.data(), bytes.size(), Channels::kRgba, quoted(path, 300));
  Mask mask{pixels.width, pixels.height, {}};
  mask.values.reserve(pixels.values.size() / 4);
  for (size_t i = 0; i < pixels.values.size(); i += 4) {
    const auto* rgba = &pixels.values[i];
    mask.values.push_back(source == MaskSource::kLuma ? luma(rgba) : static_cast<std::uint8_t>(255 - rgba[3]));
  }
  return mask;
}

}  // namespace fjord
