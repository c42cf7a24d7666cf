// The safetensors container: a JSON header that names tensors, then their bytes without holes.
// Reference: the format section of the safetensors README; every rule there is enforced before a tensor is read.
#pragma once

#include "loading/source.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fjord::loading {

struct TensorEntry {
  std::string dtype;                   // as in the file: "F32", "BF16", ...
  std::optional<at::ScalarType> type;  // none: a dtype that fjord lists but cannot use
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // byte range in the file
  std::uint64_t end = 0;
};

struct SafetensorsLimits {
  std::uint64_t header_size = std::uint64_t{16} << 20;  // bytes; the format allows 100,000,000
};

// One open safetensors file. Immutable; tensors may be read from several threads.
class Safetensors {
 public:
  // Reads and checks the header. Throws Error(kBadFile), naming the file and the tensor, for anything that breaks the
  // format, and kUnsupported, saying what it is, for files of another kind (pickle, ZIP, GGUF, Git LFS pointer, HTML).
  explicit Safetensors(std::unique_ptr<File> file, const SafetensorsLimits& limits = {});

  const std::map<std::string, TensorEntry>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::string& name() const { return file_->name(); }
  // The bytes as they lie there, for ranges of tensors().
  const File& file() const { return *file_; }

  // Copies a tensor into `destination`, which must have as many elements, converting dtype and device. At most 1 MiB
  // is held besides. Throws Error: kBadFile, kUnsupported for a dtype that fjord cannot use.
  void read_into(const TensorEntry& entry, const std::string& tensor_name, at::Tensor& destination) const;

 private:
  std::unique_ptr<File> file_;
  std::map<std::string, TensorEntry> tensors_;
  std::map<std::string, std::string> metadata_;
};

// Writes tensors (any dtype of torch that safetensors has) and metadata; the file appears whole or not at all.
// Throws Error(kCannotWrite).
void write_safetensors(const std::string& path, const std::map<std::string, at::Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace fjord::loading
