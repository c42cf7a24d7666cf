// Cuts normalized text into the words on which byte pairs are merged.
#pragma once

#include <string_view>
#include <vector>

namespace fjord::text {

// What CLIP's split rule finds, from left to right; spaces belong to no word:
//   <\|startoftext\|> | <\|endoftext\|> | 's|'t|'re|'ve|'m|'ll|'d | \p{L}+ | \p{N} | [^\s\p{L}\p{N}]+
// The reference cuts every piece again by GPT-2's rule, which changes the two markers only: "<|", the word, "|>".
// The views point into `text`.
std::vector<std::u32string_view> split_words(std::u32string_view text);

}  // namespace fjord::text
