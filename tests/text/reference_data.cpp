// Reads what tests/reference/clip_tokenizer.py wrote.
#include "reference_data.h"

#include <zlib.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

namespace fjord::text {

std::string read_packed(const std::string& name) {
  const std::string path = std::string(FJORD_TEST_DATA) + "/tokenizer/" + name;
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) throw std::runtime_error("cannot open " + path);
  std::string out;
  char buffer[1 << 16];
  int count = 0;
  while ((count = gzread(file.get(), buffer, sizeof buffer)) > 0) out.append(buffer, static_cast<size_t>(count));
  if (count < 0) throw std::runtime_error("damaged: " + path);
  return out;
}

loading::TokenizerFiles read_folder(const std::string& path, const std::vector<std::string>& names) {
  loading::TokenizerFiles files;
  for (const std::string& name : names) {
    std::ifstream in(std::string(FJORD_SOURCE_DIR) + "/" + path + "/" + name, std::ios::binary);
    if (in) files[name] = std::string(std::istreambuf_iterator<char>(in), {});
  }
  return files;
}

std::uint64_t Reader::number() {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes(1).front());
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
}

std::vector<std::int64_t> Reader::numbers() {
  std::vector<std::int64_t> out(number());
  for (std::int64_t& value : out) value = static_cast<std::int64_t>(number());
  return out;
}

std::string_view Reader::bytes(size_t count) {
  if (count > rest_.size()) throw std::runtime_error("the reference data end too early");
  const std::string_view out = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return out;
}

std::uint32_t Reader::sum() {
  std::uint32_t value = 0;
  for (int shift = 0; shift < 32; shift += 8) {
    value |= std::uint32_t{static_cast<unsigned char>(bytes(1).front())} << shift;
  }
  return value;
}

std::uint32_t sum_of(const std::vector<std::int64_t>& ids, std::uint32_t sum) {
  std::vector<unsigned char> bytes;
  for (const std::int64_t id : ids) {
    auto rest = static_cast<std::uint64_t>(id);
    for (; rest >= 0x80; rest >>= 7) bytes.push_back(static_cast<unsigned char>((rest & 0x7f) | 0x80));
    bytes.push_back(static_cast<unsigned char>(rest));
  }
  return static_cast<std::uint32_t>(crc32(sum, bytes.data(), static_cast<uInt>(bytes.size())));
}

}  // namespace fjord::text
