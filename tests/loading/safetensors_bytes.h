// Builds the bytes of safetensors files, good and bad.
#pragma once

#include "loading/safetensors.h"

#include <cstring>
#include <span>
#include <string>

namespace fjord::testing {

inline std::string length_bytes(std::uint64_t length) {
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out;
}

// A file with this header text and this many data bytes: 0, 1, 2, ...
inline std::string safetensors_bytes(const std::string& header, size_t data_size) {
  std::string out = length_bytes(header.size()) + header;
  for (size_t i = 0; i < data_size; ++i) out.push_back(static_cast<char>(i));
  return out;
}

// `bytes` must outlive the result.
inline loading::Safetensors open_bytes(const std::string& bytes) {
  const auto source = loading::open_memory({{"file.safetensors", std::as_bytes(std::span(bytes))}});
  return loading::Safetensors(source->open("file.safetensors"));
}

}  // namespace fjord::testing
