// Opening files of users, and reading them whole.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace fjord {

using OpenFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// Opens a file for reading. Throws kNotFound, or kBadFile if it is not a regular file or cannot be read.
OpenFile open_regular_file(const std::string& path);

// Throws Error: kNotFound; kBadFile if it is not a regular file, is larger than `limit` bytes or cannot be read.
std::vector<std::uint8_t> file_bytes(const std::string& path, std::uint64_t limit);

}  // namespace fjord
