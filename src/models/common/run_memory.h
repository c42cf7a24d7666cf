// What the layers of a U-Net keep from one evaluation to the next of the same request. The network itself never
// changes, so requests can share it; a memory belongs to one request.
#pragma once

#include "models/common/attention.h"

#include <unordered_map>
#include <vector>

namespace fjord::models {

struct RunMemory {
  std::vector<double> timesteps;  // those that the run foresees; another one is computed on its own

  // The text does not change within a request: its keys and values at every layer that attends to it.
  at::Tensor text;  // [rows, tokens, cross_attention_dim], after the projection of the U-Net, if it has one
  std::unordered_map<const Attention*, KeysAndValues> text_keys;

  // Of all timesteps at once, one block of rows a timestep: [timesteps * rows, features]. One row serves the whole
  // batch where nothing but the timestep is embedded.
  at::Tensor time_features;
  std::unordered_map<const nn::Module*, at::Tensor> time_projections;  // by residual block

  at::Tensor deep;  // DeepCache: what came from below at the latest whole evaluation
  std::unordered_map<const Attention*, at::Tensor> text_answers;  // T-GATE: [images, pixels, features]
};

// The last `rows` of a tensor's first dimension: an evaluation may leave out the branch without the prompt, which
// comes first. Undefined stays undefined.
at::Tensor last_rows(const at::Tensor& x, std::int64_t rows);

}  // namespace fjord::models
