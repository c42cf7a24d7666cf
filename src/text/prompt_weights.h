// Prompts with weights: which part of the text counts how much.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fjord::text {

// A part of a prompt.
struct WeightedText {
  std::string text;
  double weight = 1;
  bool is_break = false;  // no text: what follows begins a new chunk
};

// The syntax of AUTOMATIC1111's web UI: "(a:1.2)" multiplies by 1.2, "(a)" by 1.1, "[a]" by 1/1.1, nested ones all
// together; brackets that nothing closes reach to the end; "\(", "\)", "\[", "\]" and "\\" are the characters
// themselves; the word BREAK outside of brackets is a break. Neighbours of equal weight are one part. At least one
// part.
std::vector<WeightedText> parse_a1111(std::string_view prompt);

// The syntax of ComfyUI: "(a:1.2)" sets the weight to 1.2, whatever is around it, "(a)" multiplies by 1.1; "\(" and
// "\)" are the characters themselves. Throws Error(kInvalidArgument) for brackets nested more than 100 deep.
std::vector<WeightedText> parse_comfyui(std::string_view prompt);

}  // namespace fjord::text
