// Structs that begin with their size: older and newer ones than this library's.
#pragma once

#include "capi/status.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace fjord::capi {

constexpr std::uint32_t kLeastStruct = 8, kMostStruct = 4096;

inline void check_struct_size(std::uint32_t size, const char* name) {
  if (size >= kLeastStruct && size <= kMostStruct) return;
  refuse(std::string(name) + "->struct_size must be the size of the struct, got " + std::to_string(size));
}

// What the caller gave, with zero for the fields that his header does not have; null gives all zero. Fields that this
// library does not have must be zero.
template <typename Struct>
Struct read_struct(const Struct* given, const char* name) {
  Struct out{};
  if (given == nullptr) return out;
  const std::uint32_t size = given->struct_size;
  check_struct_size(size, name);
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  std::memcpy(&out, bytes, std::min<size_t>(size, sizeof(Struct)));
  for (size_t i = sizeof(Struct); i < size; ++i) {
    if (bytes[i] != 0) {
      refuse(std::string(name) + " has fields of a newer version that are not zero, from byte " + std::to_string(i));
    }
  }
  return out;
}

// Fills the part of *out that the caller knows.
template <typename Struct>
void write_struct(Struct* out, Struct value, const char* name) {
  need(out, name);
  check_struct_size(out->struct_size, name);
  value.struct_size = out->struct_size;
  std::memcpy(out, &value, std::min<size_t>(value.struct_size, sizeof(Struct)));
}

}  // namespace fjord::capi
