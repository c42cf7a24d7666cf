#include "core/tuning_file.h"

#include "core/check.h"
#include "core/files.h"

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace fjord {
namespace {

constexpr const char* kHeader = "fjord tuning 1";
constexpr std::uintmax_t kLargest = std::uintmax_t{16} << 20;

// FNV-1a, enough to tell a damaged file.
std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

std::string last_line(const std::string& body, size_t count) { return concat("end ", count, " ", hash_of(body), "\n"); }

}  // namespace

TuningFile::TuningFile(std::string path, std::string stamp) : path_(std::move(path)), stamp_(std::move(stamp)) {
  if (!path_.empty()) read();
}

void TuningFile::read() {
  std::error_code error;
  const auto size = std::filesystem::file_size(path_, error);
  if (error) return;  // not there yet
  std::ostringstream all;
  if (size <= kLargest) all << std::ifstream(path_, std::ios::binary).rdbuf();
  std::istringstream lines(all.str());
  std::string header, stamp, line;
  std::getline(lines, header);
  std::getline(lines, stamp);
  if (header == kHeader && stamp != stamp_) {
    note_ = concat(quoted(path_, 300), " was found for ", quoted(stamp), " and is not used for ", quoted(stamp_));
    return;
  }
  std::string body;
  bool whole = false;
  while (header == kHeader && !whole && std::getline(lines, line)) {
    const auto tab = line.find('\t');
    whole = line + "\n" == last_line(body, entries_.size());
    if (whole || tab == std::string::npos) break;
    body += line + "\n";
    entries_[line.substr(0, tab)] = line.substr(tab + 1);
  }
  if (whole) return;
  entries_.clear();
  note_ = concat(quoted(path_, 300), " is damaged and is not used");
}

std::optional<std::string> TuningFile::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

void TuningFile::put(const std::string& key, const std::string& value) {
  const std::lock_guard lock(mutex_);
  entries_[key] = value;
  changed_ = true;
}

void TuningFile::save() {
  const std::lock_guard lock(mutex_);
  if (!changed_ || path_.empty()) return;
  changed_ = false;
  std::string body;
  for (const auto& [key, value] : entries_) body += key + "\t" + value + "\n";
  const auto text = concat(kHeader, "\n", stamp_, "\n", body, last_line(body, entries_.size()));
  try {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
    write_file_atomically(path_, [&](int fd) { write_all(fd, text.data(), text.size(), path_); });
  } catch (const Error& error) {
    note_ = concat("what was found fastest is not kept: ", error.what());
  }
}

std::string TuningFile::note() const {
  const std::lock_guard lock(mutex_);
  return note_;
}

std::string tuning_path(const std::string& name) {
  const auto variable = [](const char* key) {
    const char* value = std::getenv(key);
    return std::string(value != nullptr ? value : "");
  };
  if (const auto given = variable("FJORD_CUDA_CACHE"); !given.empty()) return given == "off" ? "" : given + "/" + name;
  if (const auto cache = variable("XDG_CACHE_HOME"); !cache.empty()) return cache + "/fjord/" + name;
  const auto home = variable("HOME");
  return home.empty() ? "" : home + "/.cache/fjord/" + name;
}

}  // namespace fjord
