// Reads what tests/reference/clip_tokenizer.py wrote, and the tokenizer folders that it used.
#pragma once

#include "loading/tokenizer_files.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fjord::text {

// The unpacked content of a gzip file under tests/data/tokenizer.
std::string read_packed(const std::string& name);

// The files of a tokenizer folder, those of `names` that exist; the path is relative to the repository's root.
loading::TokenizerFiles read_folder(const std::string& path, const std::vector<std::string>& names);

// Numbers and bytes one after the other.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }
  std::uint64_t number();               // LEB128
  std::vector<std::int64_t> numbers();  // a count, then as many numbers
  std::string_view bytes(size_t count);
  std::uint32_t sum();  // 4 bytes, little-endian

 private:
  std::string_view rest_;
};

// CRC-32 of the ids, written as LEB128 numbers; `sum` is that of what came before.
std::uint32_t sum_of(const std::vector<std::int64_t>& ids, std::uint32_t sum = 0);

}  // namespace fjord::text
