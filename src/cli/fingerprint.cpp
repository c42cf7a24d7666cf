// FNV-1a with 64 bits (RFC 9923): h = (h xor byte) * prime.
#include "cli/fingerprint.h"

#include "cli/output.h"

#include <fjord/error.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

namespace fjord::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBlocks = 16;
constexpr std::uint64_t kBlockSize = 4096;

class Hash {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  void add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) {
      value_ = (value_ ^ (number >> shift & 0xff)) * 0x100000001b3u;
    }
  }
  std::string digits() const {
    std::string out;
    for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[value_ >> shift & 15];
    return out;
  }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

void add_file(Hash& hash, const std::string& name, const fs::path& path) {
  const std::uint64_t size = fs::file_size(path);
  hash.add(name);
  hash.add(size);
  std::ifstream file(path, std::ios::binary);
  std::string block(kBlockSize, '\0');
  const std::uint64_t whole = (size + kBlockSize - 1) / kBlockSize;  // blocks in the file
  const std::uint64_t count = std::min(whole, kBlocks);
  for (std::uint64_t i = 0; i < count; ++i) {
    // Evenly spread, the first and the last block always among them.
    const std::uint64_t block_index = count < 2 ? 0 : i * (whole - 1) / (count - 1);
    file.clear();
    file.seekg(static_cast<std::streamoff>(block_index * kBlockSize));
    file.read(block.data(), static_cast<std::streamsize>(kBlockSize));
    hash.add(std::string_view(block.data(), static_cast<size_t>(file.gcount())));
  }
  if (file.bad()) throw Error(ErrorCode::kBadFile, "cannot read " + in_quotes(path.string()));
}

bool counts(const fs::path& path) {
  const std::string extension = path.extension().string();
  return (extension == ".safetensors" || extension == ".json" || extension == ".txt") && fs::is_regular_file(path);
}

// The model's files with their names below `root`, sorted.
std::vector<std::pair<std::string, fs::path>> model_files(const fs::path& root) {
  std::vector<std::pair<std::string, fs::path>> files;
  const auto add_folder = [&](const fs::path& folder, const std::string& prefix) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (counts(entry.path())) files.emplace_back(prefix + entry.path().filename().string(), entry.path());
    }
  };
  add_folder(root, "");
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.is_directory()) add_folder(entry.path(), entry.path().filename().string() + "/");
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::string model_fingerprint(const std::string& path) {
  Hash hash;
  try {
    if (!fs::exists(path)) throw Error(ErrorCode::kNotFound, "there is no model " + in_quotes(path));
    if (!fs::is_directory(path)) {
      add_file(hash, "", path);
      return hash.digits();
    }
    for (const auto& [name, file] : model_files(path)) add_file(hash, name, file);
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorCode::kBadFile, "cannot read the model " + in_quotes(path) + ": " + error.code().message());
  }
  return hash.digits();
}

std::string array_fingerprint(const Array& array) {
  Hash hash;
  for (const std::int64_t extent : array.shape) hash.add(static_cast<std::uint64_t>(extent));
  hash.add(std::string_view(reinterpret_cast<const char*>(array.values.data()), array.values.size() * sizeof(float)));
  return hash.digits();
}

}  // namespace fjord::cli
