// Writing a model folder with smaller weights.
#pragma once

#include <fjord/export.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fjord {

struct QuantizeOptions {
  // True: the U-Net's linear layers round their inputs to 8 bits too and multiply whole numbers, which is faster.
  // False: only the weights are int8; the arithmetic is that of the precision the model is loaded with.
  bool round_inputs = true;
  // A weight whose name contains one of these stays as it is. Unset: "conv_in", "conv_out", "time_embedding",
  // "add_embedding", "class_embedding", "time_emb_proj", "conv_shortcut" and the last up block.
  std::optional<std::vector<std::string>> keep;
  // Called with how many of the U-Net's tensors are done; false stops with Error(kCancelled).
  std::function<bool(int done, int total)> progress;
};

struct QuantizeReport {
  int quantized = 0;               // tensors that became int8
  int kept = 0;                    // tensors that stayed
  std::uint64_t bytes_before = 0;  // of the U-Net's weights
  std::uint64_t bytes_after = 0;
};

// Copies the model folder `source` to `destination`, the U-Net's matrices and kernels as int8: every row (output) is
// divided by a factor that brings its largest number to 127, and rounded to nearest. The factors lie beside them as
// float32 "<name>_scale", and unet/config.json says so in "quantization_config". The result loads as any other model.
// `destination` appears whole or not at all.
// Throws Error: kNotFound, kBadFile, kUnsupported for the source (also if it is quantized already); kCannotWrite,
// if `destination` exists or cannot be written; kCancelled.
FJORD_API QuantizeReport quantize(const std::string& source, const std::string& destination,
                                  const QuantizeOptions& options = {});

}  // namespace fjord
