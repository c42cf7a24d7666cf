// A chunk is: size (4 bytes, big endian), type (4 letters), data, CRC-32 of type and data.
#include "image/png_chunks.h"

#include "core/check.h"

#include <zlib.h>
#include <algorithm>
#include <cstring>

namespace fjord {
namespace {

constexpr char kSignature[] = "\x89PNG\r\n\x1a\n";
constexpr size_t kSignatureSize = 8;
constexpr std::uint32_t kMaxChunkSize = 0x7fffffff;

std::uint32_t big_endian(const char* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::uint32_t update_checksum(std::uint32_t checksum, const char* data, size_t size) {
  return static_cast<std::uint32_t>(crc32(checksum, reinterpret_cast<const Bytef*>(data), static_cast<uInt>(size)));
}

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

}  // namespace

PngChunkReader::PngChunkReader(const std::string& path) : path_(path), file_(open_regular_file(path)) {
  char signature[kSignatureSize];
  if (std::fread(signature, 1, kSignatureSize, file_.get()) != kSignatureSize ||
      std::memcmp(signature, kSignature, kSignatureSize) != 0) {
    fail(ErrorCode::kBadFile, quoted(path_, 300), " is not a PNG file: its first 8 bytes are not the PNG signature");
  }
}

bool PngChunkReader::next() {
  const bool first = type_.empty();
  finish_chunk();
  if (type_ == "IEND") return false;
  char header[8];
  read_exactly(header, sizeof header);
  type_.assign(header + 4, 4);
  size_ = left_ = big_endian(header);
  checksum_ = update_checksum(0, header + 4, 4);
  verified_ = false;
  if (!std::all_of(type_.begin(), type_.end(), is_letter)) fail_here("its type is not four letters");
  if (size_ > kMaxChunkSize) fail_here("its size is above 2^31 - 1");
  if (first && (type_ != "IHDR" || size_ != 13)) fail_here("expected an IHDR chunk of 13 bytes first");
  if (type_ == "IEND") finish_chunk();
  return type_ != "IEND";
}

std::string PngChunkReader::data() {
  std::string bytes(left_, '\0');
  read_exactly(bytes.data(), bytes.size());
  checksum_ = update_checksum(checksum_, bytes.data(), bytes.size());
  left_ = 0;
  finish_chunk();
  return bytes;
}

void PngChunkReader::fail_here(const std::string& problem) const {
  fail(ErrorCode::kBadFile, quoted(path_, 300), " is a damaged PNG file: chunk ", quoted(type_), ": ", problem);
}

void PngChunkReader::read_exactly(char* out, size_t size) {
  if (std::fread(out, 1, size, file_.get()) == size) return;
  fail(ErrorCode::kBadFile, quoted(path_, 300), " is a truncated PNG file: it ends ",
       type_.empty() ? "before its first chunk" : "in or after chunk " + quoted(type_));
}

void PngChunkReader::finish_chunk() {
  if (verified_) return;
  char block[1 << 14];
  while (left_ > 0) {
    const auto part = std::min<std::uint32_t>(left_, sizeof block);
    read_exactly(block, part);
    checksum_ = update_checksum(checksum_, block, part);
    left_ -= part;
  }
  char stored[4];
  read_exactly(stored, sizeof stored);
  if (big_endian(stored) != checksum_) fail_here("its checksum does not match its data");
  verified_ = true;
}

}  // namespace fjord
