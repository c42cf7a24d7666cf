// Writing a single file as a folder in diffusers' layout, and the way back.
#pragma once

#include <fjord/export.h>
#include <fjord/model_files.h>
#include <fjord/pipeline.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fjord {

struct ConvertOptions {
  ModelFiles files = {};                   // where the source's parts come from
  Precision precision = Precision::kAuto;  // of the weights that are written; kAuto: every tensor as it is
  std::uint64_t shard_size = 0;            // bytes; larger weights of a folder's part are split; 0: one file a part
  // Called with how many bytes of weights are written; false stops with Error(kCancelled).
  std::function<bool(std::uint64_t done, std::uint64_t total)> progress = {};
};

struct ConvertReport {
  std::string family;              // e.g. "Stable Diffusion 1.x"
  bool is_folder = false;          // what was written: a folder, or a single file
  int tensors = 0;                 //
  std::uint64_t bytes = 0;         // of weights
  std::vector<std::string> notes;  // what was assumed, and what the new form cannot hold, a sentence each
};

// Writes the single file `source` as the folder `destination`, or the folder `source` as the single file `destination`.
// Names, order of rows and transposed matrices change, numbers do not (unless `precision` says so): the way there and
// back gives the same bytes. A folder needs a tokenizer (ModelFiles::tokenizer). A folder becomes a single file only if
// that means the same to every program that reads it; what the layout cannot say (a number of heads, ...) is refused.
// `destination` appears whole or not at all.
// Throws Error: kNotFound, kBadFile, kUnsupported for the source; kNonFinite for numbers beyond float16's range;
// kCannotWrite, if `destination` exists or cannot be written; kCancelled.
FJORD_API ConvertReport convert(const std::string& source, const std::string& destination,
                                const ConvertOptions& options = {});

}  // namespace fjord
