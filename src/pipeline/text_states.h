// Prompts through the text encoders.
#pragma once

#include "pipeline/model.h"
#include "text/prompt_chunks.h"

#include <string>
#include <vector>

namespace fjord::pipeline {

// What the text encoders make of one prompt.
struct EncodedText {
  at::Tensor states;  // [1, tokens, features], the encoders' features joined, chunks one after the other
  at::Tensor pooled;  // [1, features], of the first chunk; undefined where the model does not take it
};

// One prompt as the text encoders are given it.
struct PromptText {
  const std::string& first;
  const std::string& second;  // empty: the first
  PromptSyntax syntax = PromptSyntax::kPlain;
  int clip_skip = 0;
};

// Runs the text encoders; each is fetched at the first prompt and held until this object goes.
class TextStates {
 public:
  // A cut prompt leaves a sentence in `warnings`. Both must outlive this object.
  TextStates(const Model& model, std::vector<std::string>& warnings);

  EncodedText of(const PromptText& prompt);

  // Gives two prompts of one syntax equally many tokens. Attention does not change when all of a text is repeated
  // equally often, so that is done where it takes at most four times the longer one; otherwise empty chunks follow the
  // shorter one.
  void match_tokens(EncodedText& a, EncodedText& b, const PromptText& like);

 private:
  text::ChunkedPrompt read(size_t encoder, const std::string& text, PromptSyntax syntax);
  const models::ClipTextModel& network(size_t encoder);
  EncodedText run(size_t encoder, const text::ChunkedPrompt& chunked, const PromptText& prompt);
  at::Tensor weighted(size_t encoder, const at::Tensor& states, const text::ChunkedPrompt& chunked,
                      const PromptText& prompt);

  const Model& model_;
  std::vector<std::string>& warnings_;
  std::vector<std::shared_ptr<const models::ClipTextModel>> networks_;
};

}  // namespace fjord::pipeline
