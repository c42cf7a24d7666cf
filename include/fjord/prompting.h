// How prompts become what the U-Net takes; docs/prompts.md tells the rules.
#pragma once

#include <string>

namespace fjord {

// How a prompt is read.
enum class PromptSyntax {
  // As it is written; tokens past the encoder's window are cut. Reference: diffusers' pipelines.
  kPlain,
  // "(a:1.2)", "((a))", "[a]", "\(" and BREAK; prompts of any length, in chunks of 75 tokens. Weights multiply the
  // states, whose mean is then restored. Reference: the web UI of AUTOMATIC1111.
  kA1111,
  // "(a:1.2)", "((a))" and "\("; chunks of 75 tokens. Weights lead away from the states of the empty prompt.
  // Reference: ComfyUI.
  kComfyUi,
};

// What guidance compares with where a request has no negative prompt.
enum class EmptyNegative {
  kModel,   // zeros if the folder's model_index.json says force_zeros_for_empty_prompt, else the empty text encoded
  kEncode,  // the empty text encoded
  kZeros,   // zeros, pooled text included; needs a model that knows pooled text
};

struct Prompting {
  PromptSyntax syntax = PromptSyntax::kPlain;
  // For the second text encoder, UTF-8, at most 64 KiB; empty: the same as for the first. Models with one text encoder
  // refuse them, unless that takes part in a pair of models (a refiner), where they have no effect.
  std::string prompt_2;
  std::string negative_prompt_2;
  // Layers of the text encoder that are left out at its end, 0 to PipelineInfo::max_clip_skip. Counted from what the
  // model takes anyway, as diffusers does (the web UI's "clip skip 2" is 1 here). With kPlain it holds for the prompt
  // alone, as in diffusers; with the other syntaxes for the negative prompt too.
  int clip_skip = 0;
  EmptyNegative empty_negative = EmptyNegative::kModel;
};

}  // namespace fjord
