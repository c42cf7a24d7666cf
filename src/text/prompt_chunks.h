// A prompt as the text encoder takes it: one window of ids, or several with a weight for every token.
#pragma once

#include "text/clip_tokenizer.h"

#include <string_view>
#include <vector>

namespace fjord::text {

// One window: exactly max_length ids (begin, tokens, end, padding) and as many weights.
struct PromptChunk {
  std::vector<std::int64_t> ids;
  std::vector<float> weights;
};

struct ChunkedPrompt {
  static constexpr size_t kMaxChunks = 16;

  std::vector<PromptChunk> chunks;  // at least one
  size_t total_tokens = 0;          // of the whole text; of one that was cut: begin and end tokens of a window included
  bool truncated = false;           // tokens were cut

  bool is_weighted() const;  // whether any weight is not 1
};

// One chunk, tokens past the window cut, all weights 1. Throws as ClipTokenizer::encode.
ChunkedPrompt plain_prompt(const ClipTokenizer& tokenizer, std::string_view utf8);

// parse_a1111's parts, tokenized each for itself, in chunks of max_length - 2 tokens. A chunk that is full gives what
// stands after its last comma to the next one, if that is at most 20 tokens. Throws as ClipTokenizer::tokenize, and
// Error(kInvalidArgument) if there are more than kMaxChunks.
ChunkedPrompt a1111_prompt(const ClipTokenizer& tokenizer, std::string_view utf8);

// parse_comfyui's parts, likewise. A part of fewer than 8 tokens that does not fit begins a new chunk.
ChunkedPrompt comfyui_prompt(const ClipTokenizer& tokenizer, std::string_view utf8);

// The chunk of an empty prompt: begin, end, padding.
PromptChunk empty_chunk(const ClipTokenizer& tokenizer);

}  // namespace fjord::text
