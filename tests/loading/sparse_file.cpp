#include "loading/sparse_file.h"

#include "loading/safetensors_header.h"

#include <c10/util/accumulate.h>

#include <filesystem>
#include <fstream>

namespace fjord::testing {

void write_sparse_file(const std::string& path, const Shapes& shapes) {
  std::map<std::string, loading::TensorEntry> entries;
  std::uint64_t size = 0;
  for (const auto& [name, shape] : shapes) {
    loading::TensorEntry entry{"F16", at::kHalf, shape, size, size};
    size += 2 * static_cast<std::uint64_t>(c10::multiply_integers(shape));
    entry.end = size;
    entries.emplace(name, entry);
  }
  const auto head = loading::safetensors_head(entries, {});
  std::ofstream(path, std::ios::binary) << head;
  std::filesystem::resize_file(path, head.size() + size);
}

}  // namespace fjord::testing
