// What guidance changes within the network for one evaluation, or wants to see there.
#pragma once

#include "models/common/free_u.h"
#include "models/common/picture_keys.h"
#include "models/common/text_maps.h"

#include <cstdint>
#include <optional>
#include <unordered_set>

namespace fjord::models {

struct LayerChanges {
  // Perturbed-attention guidance, arXiv:2403.17377: in these layers of self-attention every pixel of the last rows of
  // the batch sees itself only.
  std::unordered_set<const Attention*> perturbed_layers = {};
  std::int64_t perturbed_rows = 0;
  std::optional<FreeUFactors> free_u = {};
  // Where the weights of the text are added up, those of `prompt_rows` rows of the batch from `first_prompt_row` on.
  TextMaps* text_maps = nullptr;
  std::int64_t first_prompt_row = 0;
  std::int64_t prompt_rows = 0;
  const PicturesByLayer* pictures = nullptr;  // attended to beside the text; null: none

  std::int64_t perturbed_rows_of(const Attention& layer) const {
    return perturbed_layers.contains(&layer) ? perturbed_rows : 0;
  }
};

}  // namespace fjord::models
