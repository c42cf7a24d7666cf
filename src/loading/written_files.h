// Weights on their way to files: changed dtype, split into shards, written while they are read.
#pragma once

#include "loading/assembled_file.h"
#include "loading/checkpoint.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fjord::loading {

// A safetensors file to be.
struct WrittenFile {
  std::string name;
  AssembledTensors tensors;
};

// Counts bytes over several files; may throw.
using CountBytes = std::function<void(std::uint64_t bytes)>;

// All tensors of a checkpoint.
AssembledTensors tensors_of(const Checkpoint& checkpoint);

// Floating-point tensors become `dtype` ("F32", "F16", "BF16").
void change_dtype(AssembledTensors& tensors, const std::string& dtype);

std::uint64_t bytes_of(const AssembledTensors& tensors);

// One file <stem>.safetensors, or if the weights are larger than `shard_size` (0: never) as many as are
// needed, in order of names, and the text of their index. Reference: names as save_pretrained(max_shard_size=...) gives
// them.
struct Shards {
  std::vector<WrittenFile> files;
  std::string index;  // empty: there is one file
};
Shards split_into_shards(AssembledTensors tensors, const std::string& stem, std::uint64_t shard_size);

// Writes the file, a megabyte at a time; it appears whole or not at all. Throws Error(kCannotWrite) and what reading
// and `count` throw.
void write_assembled(const std::string& path, const AssembledTensors& tensors,
                     const std::map<std::string, std::string>& metadata, const CountBytes& count);

}  // namespace fjord::loading
