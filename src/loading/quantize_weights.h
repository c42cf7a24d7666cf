// Weights as int8 with a factor for every row, or as int4 with one for every group of numbers.
#pragma once

#include "loading/checkpoint.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace fjord::loading {

struct QuantizedWeights {
  std::map<std::string, at::Tensor> tensors;  // as they go into the file
  int quantized = 0;
  int kept = 0;
};

// Name parts of what stays as it is unless the caller says otherwise: what the U-Net's precision hangs on most.
std::vector<std::string> parts_to_keep(const std::vector<std::string>& names);

struct WeightBits {
  int bits = 8;  // or 4
  std::vector<std::string> keep = {};
};

// Matrices and kernels ("<layer>.weight") become int8 or int4 with their factors as "<layer>.weight_scale", as
// fjord/quantize.h says. Names that contain one of `keep` stay, in the file's dtype. `progress` is called after each
// tensor and may throw. Throws Error(kUnsupported) if there are int8 or int4 weights already.
QuantizedWeights quantize_weights(const Checkpoint& checkpoint, const WeightBits& bits,
                                  const std::function<void(int done, int total)>& progress);

}  // namespace fjord::loading
