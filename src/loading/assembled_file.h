// A safetensors file that exists only while it is read: other files' tensors under other names, without a copy.
#pragma once

#include "loading/safetensors.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fjord::loading {

// A tensor of another file, or a range of its rows.
struct Piece {
  std::shared_ptr<const Safetensors> file;
  std::string name;   // for messages
  TensorEntry entry;  // shape and byte range of the piece
};

// One tensor to be: its pieces one below another, each as it is or as a matrix transposed.
struct AssembledTensor {
  std::string dtype;  // differs from the pieces' own: their numbers are converted
  std::vector<std::int64_t> shape;
  std::vector<Piece> pieces;
  bool transposed = false;  // for a single piece with two dimensions
};

using AssembledTensors = std::map<std::string, AssembledTensor>;

// `name` is for messages. Reading throws what the files' own reading throws, and Error(kNonFinite), naming the tensor,
// where a finite number lies beyond the range of the dtype that it is converted to.
std::unique_ptr<File> assemble(std::string name, const AssembledTensors& tensors,
                               const std::map<std::string, std::string>& metadata = {});

// The whole tensor `name` of `file`.
AssembledTensor whole_tensor(const std::shared_ptr<const Safetensors>& file, const std::string& name);

// Rows begin..end of a tensor, counted in its first dimension.
Piece rows_of(const Piece& piece, std::int64_t begin, std::int64_t end);

}  // namespace fjord::loading
