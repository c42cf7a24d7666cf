// All tensors of one component: a safetensors file, or several that an index file joins.
#pragma once

#include "loading/safetensors.h"

#include <memory>
#include <string>
#include <vector>

namespace fjord::loading {

class Checkpoint {
 public:
  // A single file.
  explicit Checkpoint(Safetensors file);
  // The weights in `folder` of the source (may be empty), as diffusers and transformers name them:
  // <stem>.safetensors, <stem>.safetensors.index.json with its shards, or <stem>.fp16.safetensors.
  // Throws Error: kNotFound, saying what was looked for; kUnsupported if there are only pickled weights; kBadFile.
  Checkpoint(const Source& source, const std::string& folder, const std::string& stem);

  // Whether the constructor above would find weights.
  static bool exists(const Source& source, const std::string& folder, const std::string& stem);

  std::vector<std::string> names() const;
  // Null if there is no such tensor.
  const TensorEntry* find(const std::string& name) const;
  // Reads a tensor that find() knows; see Safetensors::read_into.
  void read_into(const std::string& name, at::Tensor& destination) const;
  const std::vector<std::shared_ptr<const Safetensors>>& files() const { return files_; }

 private:
  struct Location {
    size_t file = 0;
    const TensorEntry* entry = nullptr;
  };
  void add(Safetensors file);
  void add_shards(const Source& source, const std::string& prefix, const std::string& index_name);

  std::vector<std::shared_ptr<const Safetensors>> files_;
  std::map<std::string, Location> tensors_;
};

}  // namespace fjord::loading
