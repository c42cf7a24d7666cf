// What is in a model folder or a safetensors file, and what this machine offers.
#pragma once

#include <fjord/export.h>
#include <fjord/model_files.h>
#include <fjord/request.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fjord {

// A table of facts: name and value, in the order of printing.
using Facts = std::vector<std::pair<std::string, std::string>>;

struct TensorInfo {
  std::string name;
  std::string dtype;  // as in the file: "F32", "F16", "BF16", ...
  std::vector<std::int64_t> shape;
};

// One part of a model: a component of a pipeline, or a single safetensors file.
struct PartReport {
  std::string name;  // "unet", "vae", ... or the file's name
  Facts facts;       // class, sizes, precision: what its config.json says, or would say
  std::vector<TensorInfo> tensors;
  std::map<std::string, std::string> metadata;  // the file's own __metadata__
};

struct ModelReport {
  std::string kind;  // "pipeline folder", "component folder", "single-file checkpoint" or "safetensors file"
  std::vector<PartReport> parts;
};

// Reads the headers and configurations under `path`; tensor data is not read. A single file that holds a whole model is
// shown as the folder it stands for, with what it was found to be; any other one says why it is no model.
// Throws Error: kNotFound, kBadFile, kUnsupported.
FJORD_API ModelReport inspect(const std::string& path, const ModelFiles& files = {});

// Versions, devices, threads and limits as this process sees them.
FJORD_API Facts system_facts();

// Names of the CPU kernels that this processor can run, the best first: "avx512_bf16", "avx512_vnni", "avx512", "avx2",
// "baseline".
FJORD_API std::vector<std::string> cpu_kernel_names();

// Named arrays in a safetensors file (float32), used for latents and embeddings.
// Throws Error: kNotFound, kBadFile; kCannotWrite (the file appears whole or not at all).
FJORD_API std::map<std::string, Array> read_arrays(const std::string& path);
FJORD_API void write_arrays(const std::string& path, const std::map<std::string, Array>& arrays);

}  // namespace fjord
