// The fields of a CLIP text encoder's config.json. Reference: transformers.CLIPTextConfig.
#pragma once

#include <cstdint>
#include <string>

namespace fjord::config {

struct ClipText {
  std::string architecture = "CLIPTextModel";  // or CLIPTextModelWithProjection
  std::int64_t vocab_size = 49408;
  std::int64_t hidden_size = 512;
  std::int64_t intermediate_size = 2048;
  std::int64_t projection_dim = 512;  // used by CLIPTextModelWithProjection
  std::int64_t num_hidden_layers = 12;
  std::int64_t num_attention_heads = 8;
  std::int64_t max_position_embeddings = 77;
  std::string hidden_act = "quick_gelu";  // or gelu (erf)
  double layer_norm_eps = 1e-5;
  std::int64_t eos_token_id = 49407;  // 2 in old files: the pooled state is then taken at the largest id
};

}  // namespace fjord::config
