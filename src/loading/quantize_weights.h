// Weights as int8 with a factor for every row.
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

// Matrices and kernels ("<layer>.weight") become int8 with a factor a row, "<layer>.weight_scale": the row's largest
// number over 127. Names that contain one of `keep` stay, in the file's dtype. `progress` is called after each tensor
// and may throw. Throws Error(kUnsupported) if there are int8 weights already.
QuantizedWeights quantize_weights(const Checkpoint& checkpoint, const std::vector<std::string>& keep,
                                  const std::function<void(int done, int total)>& progress);

}  // namespace fjord::loading
