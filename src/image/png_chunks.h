// Walks the chunks of a PNG file (PNG specification, section 5) without decoding the picture.
// libpng cannot pass over IDAT without inflating it, and longjmp's; this is shorter than taming that.
#pragma once

#include "image/file_bytes.h"

#include <cstdint>
#include <string>

namespace fjord {

class PngChunkReader {
 public:
  // Opens the file and checks the signature. Throws kNotFound, or kBadFile if it is no PNG file.
  explicit PngChunkReader(const std::string& path);

  // Moves to the next chunk; what is left of the present one is passed over and its checksum verified.
  // Returns false after IEND. Throws kBadFile where the file is damaged or ends early.
  bool next();
  const std::string& type() const { return type_; }
  std::uint32_t size() const { return size_; }
  // The data of the present chunk, checksum verified. Call at most once a chunk.
  std::string data();

  // Throws kBadFile naming the file, the present chunk and `problem`.
  [[noreturn]] void fail_here(const std::string& problem) const;

 private:
  void read_exactly(char* out, size_t size);
  void finish_chunk();

  std::string path_;
  OpenFile file_;
  std::string type_;
  std::uint32_t size_ = 0;
  std::uint32_t left_ = 0;  // bytes of data not yet read
  std::uint32_t checksum_ = 0;
  bool verified_ = true;  // the present chunk's checksum was read and matched
};

}  // namespace fjord
