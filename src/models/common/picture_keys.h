// What the pictures of a request say at the layers that attend to the text: keys and values beside those of the text,
// made once a request. Decoupled cross-attention, arXiv:2308.06721.
#pragma once

#include "models/common/attention.h"

#include <unordered_map>
#include <vector>

namespace fjord::models {

// Of one prompt of pictures at one layer.
struct PictureKeys {
  KeysAndValues context;  // [rows, tokens, features] each; the last rows count
  double scale = 1.0;
  at::Tensor mask = {};  // [1, 1, height, width] of any size: where the picture counts; undefined: everywhere
};

using PicturesByLayer = std::unordered_map<const Attention*, std::vector<PictureKeys>>;

// What one evaluation of a layer attends to: the last `rows` rows, masks at the layer's own size (height, width).
// Reference: IPAdapterMaskProcessor.downsample.
std::vector<FurtherContext> contexts_of(const std::vector<PictureKeys>& pictures, std::int64_t rows,
                                        at::IntArrayRef size);

}  // namespace fjord::models
