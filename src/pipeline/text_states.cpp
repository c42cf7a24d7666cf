#include "pipeline/text_states.h"

#include "core/check.h"
#include "pipeline/weighted_states.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <numeric>

namespace fjord::pipeline {
namespace {

constexpr std::int64_t kMostRepeats = 4;

template <typename T>
at::Tensor rows_of(const text::ChunkedPrompt& prompt, std::vector<T> text::PromptChunk::*field, at::ScalarType type) {
  const auto columns = (prompt.chunks[0].*field).size();
  auto rows = at::empty({static_cast<std::int64_t>(prompt.chunks.size()), static_cast<std::int64_t>(columns)}, type);
  auto* out = rows.mutable_data_ptr<T>();
  for (const auto& chunk : prompt.chunks) out = std::copy((chunk.*field).begin(), (chunk.*field).end(), out);
  return rows;
}

// The states that the family takes, `skip` layers before that where it usually takes them.
at::Tensor chosen_states(const models::ClipTextModel& network, const models::ClipTextOutput& out, bool penultimate,
                         int skip) {
  const auto last = out.hidden_states.size() - 1 - static_cast<size_t>(skip);
  if (penultimate) return out.hidden_states.at(last - 1);
  return skip == 0 ? out.last_hidden_state : network.final_layer_norm.forward(out.hidden_states.at(last));
}

}  // namespace

TextStates::TextStates(const Model& model, std::vector<std::string>& warnings)
    : model_(model), warnings_(warnings), networks_(model.text_encoders.size()) {}

text::ChunkedPrompt TextStates::read(size_t encoder, const std::string& text, PromptSyntax syntax) {
  const auto& tokenizer = *model_.text_encoders[encoder].tokenizer;
  if (syntax == PromptSyntax::kA1111) return text::a1111_prompt(tokenizer, text);
  if (syntax == PromptSyntax::kComfyUi) return text::comfyui_prompt(tokenizer, text);
  auto chunked = text::plain_prompt(tokenizer, text);
  if (chunked.truncated) {
    warnings_.push_back(
        concat("the prompt has ", chunked.total_tokens, " tokens; it was cut to ", chunked.chunks[0].ids.size()));
  }
  return chunked;
}

const models::ClipTextModel& TextStates::network(size_t encoder) {
  auto& network = networks_[encoder];
  if (network == nullptr) network = model_.text_encoders[encoder].network();
  return *network;
}

// states: [chunks, tokens, features]
at::Tensor TextStates::weighted(size_t encoder, const at::Tensor& states, const text::ChunkedPrompt& chunked,
                                const PromptText& prompt) {
  const auto weights = rows_of(chunked, &text::PromptChunk::weights, at::kFloat).to(model_.device);
  if (prompt.syntax == PromptSyntax::kA1111) return weigh_and_restore_mean(states, weights);
  const text::ChunkedPrompt empty{.chunks = {text::empty_chunk(*model_.text_encoders[encoder].tokenizer)}};
  return weigh_from_empty(states, weights, run(encoder, empty, prompt).states);
}

EncodedText TextStates::run(size_t encoder, const text::ChunkedPrompt& chunked, const PromptText& prompt) {
  const auto ids = rows_of(chunked, &text::PromptChunk::ids, at::kLong).to(model_.device);
  const auto out = network(encoder).forward(ids);
  auto states = chosen_states(network(encoder), out, model_.family.pooled_text, prompt.clip_skip);
  if (chunked.is_weighted()) states = weighted(encoder, states, chunked, prompt);
  const bool is_pooled = model_.family.pooled_text && out.text_embeds.defined();
  const auto pooled = is_pooled ? out.text_embeds.slice(0, 0, 1) : at::Tensor();
  return {states.flatten(0, 1).unsqueeze(0), pooled};
}

EncodedText TextStates::of(const PromptText& prompt) {
  std::vector<text::ChunkedPrompt> chunked;
  size_t chunks = 1;
  for (size_t i = 0; i < networks_.size(); ++i) {
    const bool second = i > 0 && !prompt.second.empty();
    chunked.push_back(read(i, second ? prompt.second : prompt.first, prompt.syntax));
    chunks = std::max(chunks, chunked.back().chunks.size());
  }
  EncodedText out;
  std::vector<at::Tensor> parts;
  for (size_t i = 0; i < networks_.size(); ++i) {
    chunked[i].chunks.resize(chunks, text::empty_chunk(*model_.text_encoders[i].tokenizer));
    const auto encoded = run(i, chunked[i], prompt);
    parts.push_back(encoded.states);
    out.pooled = encoded.pooled;
  }
  out.states = parts.size() == 1 ? parts[0] : at::cat(parts, -1);
  return out;
}

void TextStates::match_tokens(EncodedText& a, EncodedText& b, const PromptText& like) {
  if (a.states.size(1) == b.states.size(1)) return;
  const auto longer = std::max(a.states.size(1), b.states.size(1));
  const auto common = std::lcm(a.states.size(1), b.states.size(1));
  const std::string nothing;
  for (auto* text : {&a, &b}) {
    auto& states = text->states;
    if (common <= kMostRepeats * longer) {
      states = states.repeat({1, common / states.size(1), 1});
    } else if (states.size(1) < longer) {
      const auto empty = of({nothing, nothing, like.syntax, like.clip_skip}).states;
      states = at::cat({states, empty.repeat({1, (longer - states.size(1)) / empty.size(1), 1})}, 1);
    }
  }
}

}  // namespace fjord::pipeline
