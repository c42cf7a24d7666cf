// The fields of a CLIP image encoder's config.json. Reference: transformers.CLIPVisionConfig.
#pragma once

#include <cstdint>
#include <string>

namespace fjord::config {

struct ClipVision {
  std::int64_t hidden_size = 768;
  std::int64_t intermediate_size = 3072;
  std::int64_t projection_dim = 512;
  std::int64_t num_hidden_layers = 12;
  std::int64_t num_attention_heads = 12;
  std::int64_t image_size = 224;          // pixels a side
  std::int64_t patch_size = 32;           // likewise
  std::string hidden_act = "quick_gelu";  // or gelu (erf)
  double layer_norm_eps = 1e-5;

  // The patches of a picture and one token for the whole.
  std::int64_t tokens() const { return (image_size / patch_size) * (image_size / patch_size) + 1; }
};

}  // namespace fjord::config
