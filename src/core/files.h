// Writing files so that they appear whole or not at all.
#pragma once

#include <functional>
#include <string>

namespace fjord {

// Opens a temporary file beside `path`, lets `write` fill it, flushes it and renames it to `path`. If `write` throws,
// no file remains. An existing file is replaced only at the end.
// Throws Error(kCannotWrite) with the system's reason.
void write_file_atomically(const std::string& path, const std::function<void(int fd)>& write);

// Writes all bytes to a descriptor, continuing after short writes. `path` is for the message of Error(kCannotWrite).
void write_all(int fd, const void* data, size_t size, const std::string& path);

}  // namespace fjord
