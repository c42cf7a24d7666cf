// The small random models of tests/reference/single_file.py, in both layouts: "sd1", "sd2", "sdxl", "refiner".
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

namespace fjord::testing {

using Tensors = std::map<std::string, at::Tensor>;

struct SmallModel {
  std::map<std::string, Tensors> parts;  // "unet", "vae", "text_encoder", ...; names without "text_model."
  Tensors original;                      // the same as the tensors of a single file
};

// Made once per process.
const SmallModel& small_model(const std::string& name);

// Writes the model as a folder in diffusers' layout, with the tokenizer of weights/tiny (padded as its family does).
void write_small_folder(const std::string& name, const std::string& folder);

// Lines of a file below tests/data/single_file that is packed by gzip.
std::vector<std::string> packed_lines(const std::string& name);

}  // namespace fjord::testing
