// What names and shapes of a file's tensors tell.
#pragma once

#include "loading/original/key_map.h"

#include <cstdint>
#include <string>
#include <utility>

namespace fjord::loading {

class TensorShapes {
 public:
  // `where` begins every message; the tensors must outlive this.
  TensorShapes(const AssembledTensors& tensors, std::string where) : tensors_(tensors), where_(std::move(where)) {}

  // A size of a tensor that must be there. Throws Error(kBadFile).
  std::int64_t size(const std::string& name, size_t dimension) const;
  bool has(const std::string& prefix) const { return has_prefix(tensors_, prefix); }
  // Members of a list: list.0, list.1, ...
  std::int64_t count(const std::string& list) const;
  const std::string& where() const { return where_; }

 private:
  const AssembledTensors& tensors_;
  std::string where_;
};

}  // namespace fjord::loading
