// Reads the text chunks of a PNG file: tEXt, zTXt and iTXt (PNG specification, section 11.3.3).
// Sizes are bounded before memory is taken, so a small file cannot ask for much.
#include "core/check.h"
#include "image/latin1.h"
#include "image/png_chunks.h"

#include <fjord/image.h>

#include <zlib.h>
#include <algorithm>
#include <string_view>

namespace fjord {
namespace {

constexpr size_t kMaxText = size_t{4} << 20;        // bytes of one chunk, inflated
constexpr size_t kMaxTotalText = size_t{16} << 20;  // bytes of all chunks
constexpr size_t kMaxKeyword = 79;

// Cuts `data` at its first zero byte: returns what is before it and leaves what is after it.
std::string_view take_string(std::string_view& data, const PngChunkReader& chunk) {
  const size_t end = data.find('\0');
  if (end == std::string_view::npos) chunk.fail_here("expected a zero byte after the keyword");
  const std::string_view text = data.substr(0, end);
  data.remove_prefix(end + 1);
  return text;
}

char take_byte(std::string_view& data, const PngChunkReader& chunk) {
  if (data.empty()) chunk.fail_here("it ends early");
  const char byte = data.front();
  data.remove_prefix(1);
  return byte;
}

std::string inflate(std::string_view data, const PngChunkReader& chunk) {
  std::string out(std::min(kMaxText, data.size() * 4 + 64), '\0');
  for (;;) {
    uLongf size = out.size();
    const int code = uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                                reinterpret_cast<const Bytef*>(data.data()), data.size());
    if (code == Z_OK) {
      out.resize(size);
      return out;
    }
    if (code != Z_BUF_ERROR) chunk.fail_here("its compressed text is damaged");
    if (out.size() == kMaxText) chunk.fail_here("its text is damaged or larger than 4 MiB");
    out.resize(std::min(kMaxText, out.size() * 8));
  }
}

std::string utf8_or_fail(std::string_view text, const PngChunkReader& chunk) {
  if (!is_utf8(text)) chunk.fail_here("its text is not UTF-8");
  return std::string(text);
}

// The text of one chunk after its keyword.
std::string parse_text(std::string_view data, const PngChunkReader& chunk) {
  if (chunk.type() == "tEXt") return latin1_to_utf8(data);
  const bool compressed = chunk.type() == "zTXt" || take_byte(data, chunk) != 0;
  if (take_byte(data, chunk) != 0) chunk.fail_here("expected compression method 0");
  if (chunk.type() == "zTXt") return latin1_to_utf8(inflate(data, chunk));
  take_string(data, chunk);  // language
  take_string(data, chunk);  // translated keyword
  return compressed ? utf8_or_fail(inflate(data, chunk), chunk) : utf8_or_fail(data, chunk);
}

}  // namespace

PngText read_png_text(const std::string& path) {
  PngChunkReader chunk(path);
  PngText out;
  size_t total = 0;
  bool has_picture = false;
  while (chunk.next()) {
    has_picture = has_picture || chunk.type() == "IDAT";
    if (chunk.type() != "tEXt" && chunk.type() != "zTXt" && chunk.type() != "iTXt") continue;
    if (chunk.size() > kMaxText) chunk.fail_here("its text is larger than 4 MiB");
    const std::string bytes = chunk.data();
    std::string_view data = bytes;
    const std::string_view keyword = take_string(data, chunk);
    if (keyword.empty() || keyword.size() > kMaxKeyword) chunk.fail_here("its keyword is not of 1 to 79 characters");
    std::string text = parse_text(data, chunk);
    total += text.size();
    if (total > kMaxTotalText) chunk.fail_here("the text chunks together are larger than 16 MiB");
    out[latin1_to_utf8(keyword)] = std::move(text);
  }
  if (!has_picture) chunk.fail_here("the file ends without a picture (no IDAT chunk)");
  return out;
}

}  // namespace fjord
