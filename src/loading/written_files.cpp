#include "loading/written_files.h"

#include "core/files.h"
#include "loading/safetensors_header.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace fjord::loading {
namespace {

constexpr std::uint64_t kChunk = std::uint64_t{1} << 20;

std::uint64_t bytes_of(const AssembledTensor& tensor) {
  std::uint64_t count = find_dtype(tensor.dtype)->bits;
  for (const auto size : tensor.shape) count *= static_cast<std::uint64_t>(size);
  return count / 8;
}

bool is_floating(const std::string& dtype) {
  const auto type = find_dtype(dtype)->type;
  return type && at::isFloatingType(*type);
}

std::string shard_name(const std::string& stem, size_t index, size_t count) {
  char numbers[32];
  std::snprintf(numbers, sizeof numbers, "-%05zu-of-%05zu", index + 1, count);
  return stem + numbers + ".safetensors";
}

}  // namespace

AssembledTensors tensors_of(const Checkpoint& checkpoint) {
  AssembledTensors out;
  for (const auto& file : checkpoint.files()) {
    for (const auto& [name, entry] : file->tensors()) out.emplace(name, whole_tensor(file, name));
  }
  return out;
}

void change_dtype(AssembledTensors& tensors, const std::string& dtype) {
  for (auto& [name, tensor] : tensors) {
    if (is_floating(tensor.dtype)) tensor.dtype = dtype;
  }
}

std::uint64_t bytes_of(const AssembledTensors& tensors) {
  std::uint64_t sum = 0;
  for (const auto& [name, tensor] : tensors) sum += bytes_of(tensor);
  return sum;
}

Shards split_into_shards(AssembledTensors tensors, const std::string& stem, std::uint64_t shard_size) {
  const auto total = bytes_of(tensors);
  Shards out;
  if (shard_size == 0 || total <= shard_size) {
    out.files.push_back({stem + ".safetensors", std::move(tensors)});
    return out;
  }
  std::uint64_t size = 0;
  for (auto& [name, tensor] : tensors) {
    const auto bytes = bytes_of(tensor);
    if (out.files.empty() || size + bytes > shard_size) {
      out.files.emplace_back();
      size = 0;
    }
    out.files.back().tensors.emplace(name, std::move(tensor));
    size += bytes;
  }
  nlohmann::json index{{"metadata", {{"total_size", total}}}, {"weight_map", nlohmann::json::object()}};
  for (size_t i = 0; i < out.files.size(); ++i) {
    out.files[i].name = shard_name(stem, i, out.files.size());
    for (const auto& [name, tensor] : out.files[i].tensors) index["weight_map"][name] = out.files[i].name;
  }
  out.index = index.dump(2) + "\n";
  return out;
}

void write_assembled(const std::string& path, const AssembledTensors& tensors,
                     const std::map<std::string, std::string>& metadata, const CountBytes& count) {
  const auto file = assemble(path, tensors, metadata);
  write_file_atomically(path, [&](int fd) {
    std::vector<std::byte> chunk(kChunk);
    for (std::uint64_t done = 0; done < file->size();) {
      const auto part = std::span(chunk).first(std::min(kChunk, file->size() - done));
      file->read_at(done, part);
      write_all(fd, part.data(), part.size(), path);
      done += part.size();
      count(part.size());
    }
  });
}

}  // namespace fjord::loading
