// Textual inversions (arXiv:2208.01618): learned vectors that stand for a word. Forms: diffusers' {token: vectors},
// kohya-ss' and AUTOMATIC1111's {"emb_params": vectors}, and for two text encoders {"clip_l": ..., "clip_g": ...}.
#pragma once

#include "loading/safetensors.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace fjord::adapters {

struct TokenEmbeddings {
  std::vector<std::string> tokens;    // one for all vectors, or one each
  std::array<at::Tensor, 2> vectors;  // float32 [n, features] for each text encoder; undefined: none
};

// Features of a model's two text encoders; none where there is no such encoder.
using TextFeatures = std::array<std::optional<std::int64_t>, 2>;

// `tokens`: the words to use; empty: the name that the file gives, else `stem`, its own. Throws Error: kBadFile for
// other keys, for vectors that fit no text encoder of the model or are too many; kNonFinite; kInvalidArgument if there
// are neither one nor as many tokens as vectors.
TokenEmbeddings read_token_embeddings(const loading::Safetensors& file, std::vector<std::string> tokens,
                                      const std::string& stem, const TextFeatures& features);

}  // namespace fjord::adapters
