// The header of a safetensors file, and what a file is that has none.
#pragma once

#include "loading/safetensors.h"

#include <string_view>

namespace fjord::loading {

struct SafetensorsHeader {
  std::map<std::string, TensorEntry> tensors;
  std::map<std::string, std::string> metadata;
};

// `data_begin` and `file_size` in bytes. Throws Error(kBadFile) naming `file` and the tensor.
SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& file, std::uint64_t data_begin,
                                           std::uint64_t file_size);

// The length and the header of a file with these tensors, whose ranges count from the end of the header.
std::string safetensors_head(const std::map<std::string, TensorEntry>& tensors,
                             const std::map<std::string, std::string>& metadata);

// Throws Error(kUnsupported) with advice if the first bytes are those of another known kind of file.
void refuse_other_formats(std::string_view first_bytes, const std::string& file);

struct DtypeName {
  std::string_view name;
  std::uint64_t bits;
  std::optional<at::ScalarType> type;
};

// Null for a name that is not in the format.
const DtypeName* find_dtype(std::string_view name);
const DtypeName* find_dtype(at::ScalarType type);

}  // namespace fjord::loading
