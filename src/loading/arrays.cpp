// read_arrays and write_arrays of the public interface.
#include <fjord/inspect.h>

#include "core/check.h"
#include "core/tensors.h"
#include "loading/arrays.h"
#include "loading/safetensors.h"

#include <ATen/ops/empty.h>

namespace fjord {

std::map<std::string, Array> loading::read_arrays(std::unique_ptr<File> bytes) {
  const Safetensors file(std::move(bytes));
  std::map<std::string, Array> out;
  for (const auto& [name, entry] : file.tensors()) {
    auto tensor = at::empty(entry.shape, at::kFloat);
    file.read_into(entry, name, tensor);
    out.emplace(name, to_array(tensor));
  }
  return out;
}

std::map<std::string, Array> read_arrays(const std::string& path) {
  return loading::read_arrays(loading::open_file(path));
}

void write_arrays(const std::string& path, const std::map<std::string, Array>& arrays) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, array] : arrays) tensors.emplace(name, to_tensor(array, name));
  loading::write_safetensors(path, tensors);
}

}  // namespace fjord
