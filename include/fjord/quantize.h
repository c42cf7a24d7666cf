// Writing a model folder with smaller weights.
#pragma once

#include <fjord/export.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fjord {

// Parts of names of the weights that stay as they are unless the caller says otherwise, besides the last residual
// block before the output.
inline constexpr std::array kQuantizeKeeps{"conv_in",         "conv_out",      "time_embedding", "add_embedding",
                                           "class_embedding", "time_emb_proj", "conv_shortcut"};

struct QuantizeOptions {
  // Bits of a weight: 8 or 4.
  int bits = 8;
  // True: the U-Net's linear layers round their inputs to 8 bits too and multiply whole numbers, which is faster; for
  // 8 bits only. False: only the weights are rounded; the arithmetic is that of the precision the model is loaded with.
  // Unset: true for 8 bits, false for 4.
  std::optional<bool> round_inputs;
  // A weight whose name contains one of these stays as it is. Unset: kQuantizeKeeps and the last residual block.
  std::optional<std::vector<std::string>> keep;
  // Called with how many of the U-Net's tensors are done; false stops with Error(kCancelled).
  std::function<bool(int done, int total)> progress;
};

struct QuantizeReport {
  int quantized = 0;               // tensors that became int8 or int4
  int kept = 0;                    // tensors that stayed
  std::uint64_t bytes_before = 0;  // of the U-Net's weights
  std::uint64_t bytes_after = 0;
};

// Copies the model folder `source` to `destination`, the U-Net's matrices and kernels as int8 or int4.
// 8 bits: every row (output) is divided by a factor that brings its largest number to 127, and rounded to nearest. The
// factors lie beside them as float32 "<name>_scale".
// 4 bits: every 32 numbers of a row that follow each other have a factor, bfloat16 "<name>_scale" [rows, groups], that
// leaves the least sum of squared errors of those tried, and become -8 to 7; two are stored in a byte (uint8), plus 8,
// the first in the low half.
// unet/config.json says so in "quantization_config". The result loads as any other model. `destination` appears whole
// or not at all.
// Throws Error: kInvalidArgument for other bits, or rounded inputs with 4; kNotFound, kBadFile, kUnsupported for the
// source (also if it is quantized already); kCannotWrite, if `destination` exists or cannot be written; kCancelled.
FJORD_API QuantizeReport quantize(const std::string& source, const std::string& destination,
                                  const QuantizeOptions& options = {});

}  // namespace fjord
